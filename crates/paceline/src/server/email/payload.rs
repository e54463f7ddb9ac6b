//! What `POST /send-email` takes: one recipient, a subject and a text, checked before anything is stored.

use lettre::message::Mailbox;
use paceline_http::problem::Violation;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The longest subject, in characters.
const MAX_SUBJECT: usize = 255;
/// The longest body, in bytes.
const MAX_BODY: usize = 256 * 1024;
/// RFC 5321 4.5.3.1.3: a path has at most 256 octets, its angle brackets included.
const MAX_ADDRESS: usize = 254;

/// One mail as it lies in the queue. The sender is fixed by the configuration, never by the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Email {
    /// The one recipient's address.
    pub(crate) to: String,
    /// The subject, without line breaks.
    pub(crate) subject: String,
    /// The text, `text/plain` in UTF-8.
    pub(crate) body: String,
}

impl Email {
    /// Reads and checks a request's object; every mistake is reported, not just the first.
    pub(crate) fn parse(mut object: Map<String, Value>) -> Result<Self, Vec<Violation>> {
        let mut errors = Vec::new();
        let to = take(&mut object, "to", &mut errors);
        let subject = take(&mut object, "subject", &mut errors);
        let body = take(&mut object, "body", &mut errors);
        for name in object.keys() {
            errors.push(error(
                name,
                "unknown-field",
                "is not a field of a mail: give to, subject and body",
            ));
        }
        if let Some(to) = &to {
            check_address(to, &mut errors);
        }
        if let Some(subject) = &subject {
            check_subject(subject, &mut errors);
        }
        if body.as_ref().is_some_and(|body| body.len() > MAX_BODY) {
            errors.push(error("body", "too-long", "is longer than 256 KiB"));
        }
        match (to, subject, body) {
            (Some(to), Some(subject), Some(body)) if errors.is_empty() => {
                Ok(Self { to, subject, body })
            }
            _ => Err(errors),
        }
    }
}

fn take(
    object: &mut Map<String, Value>,
    name: &str,
    errors: &mut Vec<Violation>,
) -> Option<String> {
    match object.remove(name) {
        Some(Value::String(text)) => Some(text),
        Some(_) => {
            errors.push(error(name, "wrong-type", "must be a string"));
            None
        }
        None => {
            errors.push(error(name, "missing-field", "is required"));
            None
        }
    }
}

fn check_address(to: &str, errors: &mut Vec<Violation>) {
    if to.contains(['\r', '\n']) {
        errors.push(error("to", "line-break", "must not contain a line break"));
    } else if to.contains([',', ';']) {
        errors.push(error(
            "to",
            "several-recipients",
            "must be one address: send one request a recipient",
        ));
    } else if to.len() > MAX_ADDRESS || !is_bare_address(to) {
        errors.push(error(
            "to",
            "invalid-address",
            "must be a mail address such as ada@example.com",
        ));
    }
}

/// An address alone: a display name could carry what a reader takes for another recipient.
fn is_bare_address(to: &str) -> bool {
    to.parse::<Mailbox>()
        .is_ok_and(|mailbox| mailbox.name.is_none() && mailbox.email.to_string() == to)
}

fn check_subject(subject: &str, errors: &mut Vec<Violation>) {
    if subject.contains(['\r', '\n', '\0']) {
        errors.push(error(
            "subject",
            "line-break",
            "must not contain a line break",
        ));
    } else if subject.trim().is_empty() {
        errors.push(error("subject", "empty", "must not be empty"));
    } else if subject.chars().count() > MAX_SUBJECT {
        errors.push(error(
            "subject",
            "too-long",
            "is longer than 255 characters",
        ));
    }
}

fn error(field: &str, code: &'static str, rest: &str) -> Violation {
    Violation::at_pointer(format!("/{field}"), code, format!("`{field}` {rest}."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(body: &Value, expected: &[&str]) {
        let Value::Object(object) = body.clone() else {
            panic!("not an object")
        };
        let found = match Email::parse(object) {
            Ok(_) => Vec::new(),
            Err(errors) => errors.iter().map(|error| error.code().to_owned()).collect(),
        };
        assert_eq!(found, expected, "{body}");
    }

    #[test]
    fn a_plain_mail_is_taken() {
        check(
            &json!({"to": "ada@example.com", "subject": "Hi", "body": "x\r\ny"}),
            &[],
        );
        check(
            &json!({"to": "a.b+c@exämple.com", "subject": "Grüße", "body": ""}),
            &[],
        );
    }

    #[test]
    fn every_mistake_is_reported() {
        check(
            &json!({}),
            &["missing-field", "missing-field", "missing-field"],
        );
        check(
            &json!({"to": 1, "subject": "s", "body": "b", "cc": "x"}),
            &["wrong-type", "unknown-field"],
        );
    }

    #[test]
    fn nothing_smuggles_a_header_or_a_second_recipient() {
        let with = |to: &str, subject: &str| json!({"to": to, "subject": subject, "body": ""});
        check(
            &with("a@b.example\r\nBcc: c@d.example", "s"),
            &["line-break"],
        );
        check(
            &with("a@b.example, c@d.example", "s"),
            &["several-recipients"],
        );
        check(&with("Ada <a@b.example>", "s"), &["invalid-address"]);
        check(&with("nobody", "s"), &["invalid-address"]);
        check(&with("a@b.example", "s\nBcc: c@d.example"), &["line-break"]);
        check(&with("a@b.example", " "), &["empty"]);
        check(&with("a@b.example", &"x".repeat(256)), &["too-long"]);
    }
}
