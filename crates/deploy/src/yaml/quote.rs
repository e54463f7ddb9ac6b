//! Strings as YAML reads them back.

use std::fmt::Write as _;

/// Words that are no strings when they stand bare, in YAML 1.1 (which AWS reads) or 1.2.
const WORDS: [&str; 12] = [
    "true", "false", "yes", "no", "on", "off", "null", "y", "n", "nan", "inf", "~",
];

/// The text, bare where that is safe, else in double quotes with everything escaped that a reader would change or refuse.
pub(super) fn scalar(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            ' '..='~' => quoted.push(character),
            _ => escape(&mut quoted, character),
        }
    }
    quoted.push('"');
    quoted
}

/// Letters stay as they are; what is invisible or no character of YAML becomes an escape.
fn escape(quoted: &mut String, character: char) {
    let code = u32::from(character);
    let written = match code {
        _ if character.is_alphanumeric() => {
            quoted.push(character);
            Ok(())
        }
        0..=0xff => write!(quoted, "\\x{code:02x}"),
        0x100..=0xffff => write!(quoted, "\\u{code:04x}"),
        _ => write!(quoted, "\\U{code:08x}"),
    };
    written.expect("a string takes everything");
}

/// Letters, digits and a few signs that mean nothing where they stand, beginning with a letter, and no word with a
/// meaning. Colons only where no blank and no end follows.
fn is_plain(text: &str) -> bool {
    let mut characters = text.chars();
    let begins = characters.next().is_some_and(|c| c.is_ascii_alphabetic());
    let goes_on = characters.all(|c| c.is_ascii_alphanumeric() || "_-./:".contains(c));
    let is_word = WORDS.iter().any(|word| word.eq_ignore_ascii_case(text));
    begins && goes_on && !is_word && !text.ends_with(':')
}

#[cfg(test)]
mod tests {
    use super::scalar;

    #[test]
    fn what_means_something_is_quoted() {
        for (text, expected) in [
            ("provided.al2023", "provided.al2023"),
            ("AWS::Serverless::Function", "AWS::Serverless::Function"),
            ("", "\"\""),
            ("no", "\"no\""),
            ("On", "\"On\""),
            ("2010-09-09", "\"2010-09-09\""),
            ("a: b", "\"a: b\""),
            ("a:", "\"a:\""),
            ("*", "\"*\""),
            ("a #b", "\"a #b\""),
            ("{{resolve:x}}", "\"{{resolve:x}}\""),
            ("\u{2028}\u{85}\u{feff}", "\"\\u2028\\x85\\ufeff\""),
            ("ñ\u{1f680}", "\"ñ\\U0001f680\""),
        ] {
            assert_eq!(scalar(text), expected);
        }
    }
}
