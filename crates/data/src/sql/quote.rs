//! Identifiers in SQL text.

/// An identifier between double quotes, with those inside it doubled, as SQL has it.
///
/// ```
/// assert_eq!(paceline_data::plan::quote("odd\"name"), "\"odd\"\"name\"");
/// ```
pub fn quote(identifier: &str) -> String {
    quoted(identifier, '"')
}

/// An identifier between two of these characters, with those inside it doubled.
pub(super) fn quoted(identifier: &str, mark: char) -> String {
    let mut quoted = String::with_capacity(identifier.len() + 2);
    quoted.push(mark);
    for character in identifier.chars() {
        if character == mark {
            quoted.push(mark);
        }
        quoted.push(character);
    }
    quoted.push(mark);
    quoted
}
