//! `Content-Disposition`: the name under which a browser saves the answer (RFC 6266).

use std::fmt::Write as _;

use http::HeaderValue;

/// `attachment` with this file name, in ASCII and, where that changed it, in UTF-8. What could end the header
/// field or leave the folder is replaced.
pub(super) fn attachment(name: &str) -> HeaderValue {
    let safe: String = name
        .chars()
        .map(|char| {
            if char.is_control() || "/\\:".contains(char) {
                '_'
            } else {
                char
            }
        })
        .take(120)
        .collect();
    let ascii: String = safe
        .chars()
        .map(|char| {
            if char.is_ascii() && !"\"%".contains(char) {
                char
            } else {
                '_'
            }
        })
        .collect();
    let mut value = format!("attachment; filename=\"{ascii}\"");
    if ascii != safe {
        value.push_str("; filename*=UTF-8''");
        for byte in safe.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                value.push(char::from(byte));
            } else {
                // Writing to a String cannot fail.
                let _ = write!(value, "%{byte:02X}");
            }
        }
    }
    HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_the_field_or_the_folder() {
        let check = |name: &str, expected: &str| assert_eq!(attachment(name), expected, "{name:?}");
        check("users.csv", "attachment; filename=\"users.csv\"");
        check("a b.csv", "attachment; filename=\"a b.csv\"");
        check(
            "../x\\y:z\r\nSet-Cookie",
            "attachment; filename=\".._x_y_z__Set-Cookie\"",
        );
        check(
            "Ü\"50%\".csv",
            "attachment; filename=\"__50__.csv\"; filename*=UTF-8''%C3%9C%2250%25%22.csv",
        );
        assert!(attachment(&"ü".repeat(9_999)).len() < 1_000);
    }
}
