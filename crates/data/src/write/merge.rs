//! JSON merge patches (RFC 7396) on text: what a patch does not name keeps every byte.

use super::body::Body;

/// `patch` applied to `target`. A target that is no object counts as an empty one. Both are JSON; how deep a patch
/// goes was bounded when it was read.
pub(crate) fn merged(target: &str, patch: &str) -> String {
    let Some(changes) = members(patch) else {
        return patch.to_owned();
    };
    let mut kept = members(target).unwrap_or_default();
    for (name, change) in changes {
        let place = kept.iter().position(|(known, _)| *known == name);
        match place {
            Some(place) if change == "null" => {
                kept.remove(place);
            }
            Some(place) => kept[place].1 = merged(&kept[place].1, &change),
            None if change == "null" => {}
            // What is new is a patch too, of nothing: its nulls go.
            None => kept.push((name, merged("", &change))),
        }
    }
    let member = |(name, value): &(String, String)| {
        let name = serde_json::to_string(name).expect("a text has a JSON form");
        format!("{name}:{value}")
    };
    let members: Vec<String> = kept.iter().map(member).collect();
    format!("{{{}}}", members.join(","))
}

/// The members of an object, each value as its text; `None` for what is no object.
fn members(text: &str) -> Option<Vec<(String, String)>> {
    let Body(members) = Body::parse(text.as_bytes()).ok()?;
    let owned = members.into_iter();
    Some(
        owned
            .map(|(name, value)| (name, value.get().to_owned()))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the RFC's appendix, as far as a patch of an object goes, and what doubles would lose.
    #[test]
    fn patches_are_merged_as_the_rfc_says() {
        let check = |target: &str, patch: &str, expected: &str| {
            assert_eq!(merged(target, patch), expected, "{target} {patch}");
        };
        check(r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#);
        check(r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#);
        check(r#"{"a":"b"}"#, r#"{"a":null}"#, "{}");
        check(r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#);
        check(r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#);
        check(r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#);
        check(
            r#"{"a":{"b":"c"}}"#,
            r#"{"a":{"b":"d","c":null}}"#,
            r#"{"a":{"b":"d"}}"#,
        );
        check("[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#);
        check("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#);
        check("null", r#"{"a":1}"#, r#"{"a":1}"#);
        check("", r#"{"a":1}"#, r#"{"a":1}"#);
        check(
            r#"{"n": 12345678901234567890.10, "b": [1.0,  2]}"#,
            r#"{"c":1}"#,
            r#"{"n":12345678901234567890.10,"b":[1.0,  2],"c":1}"#,
        );
        check(r#"{"a":1}"#, "[2]", "[2]");
    }
}
