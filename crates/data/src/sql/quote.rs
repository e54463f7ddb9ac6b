//! Identifiers in SQL text.

/// An identifier between double quotes, with those inside it doubled, as SQL has it.
///
/// ```
/// assert_eq!(paceline_data::plan::quote("odd\"name"), "\"odd\"\"name\"");
/// ```
pub fn quote(identifier: &str) -> String {
    let mut quoted = String::with_capacity(identifier.len() + 2);
    quoted.push('"');
    for character in identifier.chars() {
        if character == '"' {
            quoted.push('"');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}
