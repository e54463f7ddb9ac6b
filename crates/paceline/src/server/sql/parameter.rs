//! Values of a request as the text that `PostgreSQL` reads them from.

use serde_json::Value;

/// The text of a value; `None` is `NULL`. Objects are JSON, lists are arrays.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(elements) => {
            let mut out = String::new();
            array(elements, &mut out);
            Some(out)
        }
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => Some(value.to_string()),
    }
}

fn array(elements: &[Value], out: &mut String) {
    out.push('{');
    for (index, element) in elements.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        match element {
            Value::Null => out.push_str("NULL"),
            Value::Array(elements) => array(elements, out),
            Value::String(text) => quoted(text, out),
            Value::Bool(_) | Value::Number(_) => out.push_str(&element.to_string()),
            Value::Object(_) => quoted(&element.to_string(), out),
        }
    }
    out.push('}');
}

fn quoted(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_what_the_server_reads() {
        for (json, expected) in [
            ("null", None),
            (r#""a\"b""#, Some("a\"b")),
            ("1.50", Some("1.5")),
            ("true", Some("true")),
            (r#"{"a":[1]}"#, Some(r#"{"a":[1]}"#)),
            ("[]", Some("{}")),
            (
                r#"[1,null,"NULL","a\"\\b,",[true]]"#,
                Some(r#"{1,NULL,"NULL","a\"\\b,",{true}}"#),
            ),
            (r#"[{"a":"x"}]"#, Some(r#"{"{\"a\":\"x\"}"}"#)),
        ] {
            let value: Value = serde_json::from_str(json).unwrap();
            assert_eq!(text(&value).as_deref(), expected, "{json}");
        }
    }
}
