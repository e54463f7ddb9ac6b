//! An array in `PostgreSQL`'s text form as a JSON list.

/// Writes the list; elements go through `element`, which is given the text of one that is not `NULL`. `None` when the
/// text is no array of the form `{1,"a",NULL,{2}}`; what was written is then to be thrown away.
pub(super) fn write(
    text: &str,
    delimiter: char,
    out: &mut Vec<u8>,
    element: &mut dyn FnMut(&str, &mut Vec<u8>),
) -> Option<()> {
    // Bounds that do not begin at 1 stand before: [0:1]={1,2}.
    let text = match text.strip_prefix('[') {
        Some(rest) => rest.split_once("]=")?.1,
        None => text,
    };
    let mut rest = text;
    list(&mut rest, delimiter, out, element)?;
    rest.is_empty().then_some(())
}

fn list(
    rest: &mut &str,
    delimiter: char,
    out: &mut Vec<u8>,
    element: &mut dyn FnMut(&str, &mut Vec<u8>),
) -> Option<()> {
    *rest = rest.strip_prefix('{')?;
    out.push(b'[');
    if let Some(after) = rest.strip_prefix('}') {
        *rest = after;
        out.push(b']');
        return Some(());
    }
    loop {
        if rest.starts_with('{') {
            // PostgreSQL has at most six dimensions.
            list(rest, delimiter, out, element)?;
        } else if let Some(after) = rest.strip_prefix('"') {
            let (text, after) = quoted(after)?;
            element(&text, out);
            *rest = after;
        } else {
            let end = rest.find([delimiter, '}'])?;
            match &rest[..end] {
                "NULL" => out.extend_from_slice(b"null"),
                text => element(text, out),
            }
            *rest = &rest[end..];
        }
        let mut after = rest.chars();
        match after.next()? {
            '}' => {
                *rest = after.as_str();
                out.push(b']');
                return Some(());
            }
            next if next == delimiter => {
                *rest = after.as_str();
                out.push(b',');
            }
            _ => return None,
        }
    }
}

/// The text up to the closing quote, and what comes after.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut read = String::new();
    let mut characters = text.chars();
    loop {
        match characters.next()? {
            '"' => return Some((read, characters.as_str())),
            '\\' => read.push(characters.next()?),
            other => read.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_nest_and_null_is_told_from_its_name() {
        let check = |text: &str, delimiter, expected: Option<&str>| {
            let mut out = Vec::new();
            let mut element = |text: &str, out: &mut Vec<u8>| {
                out.extend_from_slice(format!("<{text}>").as_bytes());
            };
            let written = write(text, delimiter, &mut out, &mut element);
            let written = written.map(|()| String::from_utf8(out).unwrap());
            assert_eq!(written.as_deref(), expected, "{text}");
        };
        check("{}", ',', Some("[]"));
        check("{1,NULL,3}", ',', Some("[<1>,null,<3>]"));
        check(
            r#"{"NULL","a\"b\\","{}"}"#,
            ',',
            Some(r#"[<NULL>,<a"b\>,<{}>]"#),
        );
        check("{{1,2},{3,4}}", ',', Some("[[<1>,<2>],[<3>,<4>]]"));
        check("[0:1]={1,2}", ',', Some("[<1>,<2>]"));
        check(
            "{(1,1),(0,0);(2,2),(1,1)}",
            ';',
            Some("[<(1,1),(0,0)>,<(2,2),(1,1)>]"),
        );
        for broken in ["", "{", "{1", "{1}}", "{\"a}", "1,2", "[0:1]{1}"] {
            check(broken, ',', None);
        }
    }
}
