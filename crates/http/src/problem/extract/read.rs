//! What a deserialisation failed at, told without the server's own words.

use std::error::Error;
use std::fmt::Write as _;

use serde_path_to_error::{Path, Segment};

/// The error of type `E` that caused another.
pub(super) fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// A path as a JSON Pointer (RFC 6901).
pub(super) fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => {
                // Writing to a String cannot fail.
                let _ = write!(pointer, "/{index}");
            }
            Segment::Map { key } => {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
            // The variant of an enum is no step into the document, or one that is not known.
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

/// A mistake in a value, as a code and a sentence.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    pub(super) code: &'static str,
    pub(super) detail: String,
}

/// Reads serde's message. Names of fields and variants are the client's own vocabulary and are repeated; what
/// is expected is said in words of JSON; everything else stays here.
pub(super) fn mistake(message: &str) -> Mistake {
    let say = |code, detail: String| Mistake { code, detail };
    // serde_json adds where it happened.
    let message = match message.rsplit_once(" at line ") {
        Some((message, _)) => message,
        None => message,
    };
    if let Some(name) = message.strip_prefix("missing field ") {
        return say("missing-field", format!("Add the field {}.", quoted(name)));
    }
    if let Some(name) = message.strip_prefix("duplicate field ") {
        return say(
            "repeated-field",
            format!("Send the field {} once.", quoted(name)),
        );
    }
    for (prefix, what, code) in [
        ("unknown field ", "field", "unknown-field"),
        ("unknown variant ", "choice", "unknown-choice"),
    ] {
        if let Some(rest) = message.strip_prefix(prefix) {
            let (name, known) = rest.split_once(", ").unwrap_or((rest, ""));
            let known = known
                .strip_prefix("expected ")
                .map(|known| known.strip_prefix("one of ").unwrap_or(known));
            let known = known.map_or(String::new(), |known| {
                format!(" There is {}.", known.replace('`', "\""))
            });
            return say(
                code,
                format!("There is no {what} {} here.{known}", quoted(name)),
            );
        }
    }
    match message.rsplit_once(", expected ") {
        Some((_, expected)) => say("wrong-type", format!("Expected {}.", kind(expected))),
        None => say("invalid-value", "The value cannot be read.".to_owned()),
    }
}

/// A name between backticks, between quotation marks and short.
fn quoted(name: &str) -> String {
    format!("{:?}", crate::parameters::cut(name.trim_matches('`')))
}

/// What serde expects, in words of JSON.
fn kind(expected: &str) -> &'static str {
    let first = expected.split(' ').next().unwrap_or_default();
    match (first, expected) {
        ("u8" | "u16" | "u32" | "u64" | "u128" | "usize", _) => {
            "a whole number that is not negative and not too large"
        }
        ("i8" | "i16" | "i32" | "i64" | "i128" | "isize" | "integer", _) => {
            "a whole number that is not too large"
        }
        (_, "a nonzero u8" | "a nonzero u16" | "a nonzero u32" | "a nonzero u64") => {
            "a whole number from 1 on"
        }
        ("f32" | "f64", _) => "a number",
        (_, "a boolean") => "true or false",
        (_, "a string" | "a borrowed string") => "a text",
        (_, "a character") => "a single character",
        (_, "a sequence") => "an array",
        ("tuple" | "array", _) => "an array of the right length",
        (_, "a map") | ("struct", _) => "an object",
        (_, "unit" | "null") => "null",
        _ => "another kind of value",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_serde_become_ours_and_unknown_ones_stay_inside() {
        let check = |message: &str, code: &str, detail: &str| {
            let found = mistake(message);
            assert_eq!(
                (found.code, found.detail.as_str()),
                (code, detail),
                "{message}"
            );
        };
        check(
            "missing field `a` at line 1 column 2",
            "missing-field",
            "Add the field \"a\".",
        );
        check(
            "duplicate field `a`",
            "repeated-field",
            "Send the field \"a\" once.",
        );
        check(
            "unknown field `x`, expected `a` or `b` at line 1 column 5",
            "unknown-field",
            "There is no field \"x\" here. There is \"a\" or \"b\".",
        );
        check(
            "unknown variant `x`, expected one of `a`, `b`, `c`",
            "unknown-choice",
            "There is no choice \"x\" here. There is \"a\", \"b\", \"c\".",
        );
        check(
            "unknown field `x`, there are no fields",
            "unknown-field",
            "There is no field \"x\" here.",
        );
        check(
            "invalid type: string \"x\", expected u32",
            "wrong-type",
            "Expected a whole number that is not negative and not too large.",
        );
        check(
            "invalid type: null, expected struct SecretName",
            "wrong-type",
            "Expected an object.",
        );
        check(
            "invalid type: string \", expected struct X\", expected a boolean",
            "wrong-type",
            "Expected true or false.",
        );
        check(
            "invalid length 1, expected tuple struct Inner with 2 elements",
            "wrong-type",
            "Expected an array of the right length.",
        );
        check(
            "no connection to db.internal",
            "invalid-value",
            "The value cannot be read.",
        );
        check("", "invalid-value", "The value cannot be read.");
    }
}
