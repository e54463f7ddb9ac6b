//! The JSON document of a problem.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::Problem;

/// The media type of the document.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// Members the document writes itself; an extension of the same name is left out.
const OWN_MEMBERS: [&str; 9] = [
    "type",
    "title",
    "status",
    "code",
    "detail",
    "parameter",
    "pointer",
    "header",
    "errors",
];

impl Problem {
    /// The problem document as JSON text.
    #[expect(
        clippy::missing_panics_doc,
        reason = "what a problem holds always serialises"
    )]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings, numbers and JSON values always serialise")
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", self.type_uri())?;
        map.serialize_entry("title", self.title())?;
        map.serialize_entry("status", &self.status().as_u16())?;
        map.serialize_entry("code", self.code())?;
        if let Some(detail) = self.detail() {
            map.serialize_entry("detail", detail)?;
        }
        if let Some(source) = self.source_of_error() {
            source.serialize_into(&mut map)?;
        }
        if !self.violations().is_empty() {
            map.serialize_entry("errors", self.violations())?;
        }
        for (name, value) in self
            .extensions()
            .filter(|(name, _)| !OWN_MEMBERS.contains(name))
        {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Violation;
    use super::*;
    use http::StatusCode;

    fn check(problem: &Problem, expected: &str) {
        assert_eq!(String::from_utf8(problem.to_json()).unwrap(), expected);
    }

    #[test]
    fn members_come_in_one_order_and_absent_ones_are_left_out() {
        check(
            &Problem::new(StatusCode::NOT_FOUND, "not-found"),
            r#"{"type":"about:blank","title":"Not Found","status":404,"code":"not-found"}"#,
        );
        check(
            &Problem::new(StatusCode::BAD_REQUEST, "invalid-parameter")
                .with_detail("Say \"10\".")
                .with_parameter("li\nmit"),
            r#"{"type":"about:blank","title":"Bad Request","status":400,"code":"invalid-parameter","detail":"Say \"10\".","parameter":"li\nmit"}"#,
        );
        check(
            &Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-body")
                .with_type("https://example.com/p")
                .with_title("Wrong")
                .with_violation(Violation::at_pointer("/a", "missing", "Add it."))
                .with_extension("k", 1)
                .with_extension("k", 2),
            r#"{"type":"https://example.com/p","title":"Wrong","status":422,"code":"invalid-body","errors":[{"code":"missing","detail":"Add it.","pointer":"/a"}],"k":2}"#,
        );
    }

    #[test]
    fn an_extension_cannot_forge_or_double_a_standard_member() {
        for name in OWN_MEMBERS {
            let problem =
                Problem::new(StatusCode::CONFLICT, "conflict").with_extension(name, "forged");
            assert!(
                !String::from_utf8(problem.to_json())
                    .unwrap()
                    .contains("forged"),
                "{name}"
            );
        }
    }

    #[test]
    fn a_status_without_a_phrase_still_has_a_title() {
        let problem = Problem::new(StatusCode::from_u16(499).unwrap(), "client-closed");
        assert_eq!(problem.title(), "Error");
    }
}
