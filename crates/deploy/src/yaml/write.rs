//! From values to text.

use super::quote::scalar;
use super::{Map, Node};

/// Comments are broken here, counted from the left edge.
const WIDTH: usize = 110;

/// The document's text. `heading` stands before it as comments, a line each.
pub(crate) fn write(heading: &[String], document: &Map) -> String {
    let mut text = String::new();
    for line in heading {
        comment(&mut text, 0, line);
    }
    map(&mut text, 0, document);
    text
}

fn map(text: &mut String, indent: usize, map: &Map) {
    for (index, entry) in map.entries.iter().enumerate() {
        // Sections and resources stand apart.
        if indent == 0 || (indent == 2 && index > 0 && matches!(entry.node, Node::Map(_))) {
            text.push('\n');
        }
        if let Some(words) = &entry.comment {
            comment(text, indent, words);
        }
        blanks(text, indent);
        text.push_str(&scalar(&entry.key));
        text.push(':');
        value(text, indent, &entry.node);
    }
}

/// What follows a colon, a dash or a tag, to the end of the line or below it.
fn value(text: &mut String, indent: usize, node: &Node) {
    match node {
        Node::Map(inner) if inner.is_empty() => text.push_str(" {}\n"),
        Node::List(items) if items.is_empty() => text.push_str(" []\n"),
        Node::Map(inner) => {
            text.push('\n');
            map(text, indent + 2, inner);
        }
        Node::List(items) => {
            text.push('\n');
            for item in items {
                blanks(text, indent + 2);
                text.push('-');
                item_value(text, indent + 2, item);
            }
        }
        Node::Tagged(tag, inner) => {
            text.push(' ');
            text.push_str(tag);
            value(text, indent, inner);
        }
        Node::Text(string) => line(text, &scalar(string)),
        Node::Integer(number) => line(text, &number.to_string()),
        Node::Fraction(number) => line(text, &format!("{number:?}")),
        Node::Bool(value) => line(text, if *value { "true" } else { "false" }),
    }
}

/// A map begins on the line of its dash.
fn item_value(text: &mut String, indent: usize, node: &Node) {
    let Node::Map(inner) = node else {
        return value(text, indent, node);
    };
    let mut below = String::new();
    map(&mut below, indent + 2, inner);
    text.push(' ');
    text.push_str(below.trim_start());
}

fn line(text: &mut String, value: &str) {
    text.push(' ');
    text.push_str(value);
    text.push('\n');
}

fn blanks(text: &mut String, count: usize) {
    text.extend(std::iter::repeat_n(' ', count));
}

/// Words as comment lines. Whatever they are made of, a line of theirs cannot end the comment: words are split at
/// everything that YAML takes for white space.
fn comment(text: &mut String, indent: usize, words: &str) {
    let mut length = 0;
    for word in words.split(|c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}') {
        if word.is_empty() {
            continue;
        }
        if length == 0 || length + 1 + word.len() > WIDTH {
            if length > 0 {
                text.push('\n');
            }
            blanks(text, indent);
            text.push('#');
            length = indent + 1;
        }
        text.push(' ');
        text.push_str(word);
        length += 1 + word.len();
    }
    if length == 0 {
        blanks(text, indent);
        text.push('#');
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use saphyr::{LoadableYamlNode, ScalarOwned, YamlOwned};

    use super::super::{Map, Node, texts};
    use super::write;

    #[test]
    fn forms() {
        let inner = Map::new().with("a", "x").because("why", "b", 3_u32);
        let document = Map::new()
            .with("top", inner.clone())
            .with("list", vec![Node::Map(inner), Node::reference("Name")])
            .with("none", Map::new())
            .with("join", Node::Tagged("!Join", Box::new(texts(&[",", "no"]))));
        let expected = "# head\n\ntop:\n  a: x\n  # why\n  b: 3\n\nlist:\n  - a: x\n    # why\n    b: 3\n  - !Ref Name\n\n\
                        none: {}\n\njoin: !Join\n  - \",\"\n  - \"no\"\n";
        assert_eq!(write(&["head".to_owned()], &document), expected);
    }

    proptest! {
        #[test]
        fn any_name_is_read_back(key in any::<String>(), value in any::<String>(), item in any::<String>(), words in any::<String>()) {
            let list = vec![Node::from(item.clone()), Node::from(Map::new().because(words.clone(), key.clone(), item.clone()))];
            let document = Map::new().because(words.clone(), key.clone(), value.clone()).with("the list", list);
            let text = write(&[words], &document);
            let read = YamlOwned::load_from_str(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
            let mapping = read[0].as_mapping().expect("a mapping");
            let pairs: Vec<_> = mapping.iter().collect();
            prop_assume!(key != "the list");
            prop_assert_eq!(string(pairs[0].0), key.as_str());
            prop_assert_eq!(string(pairs[0].1), value.as_str());
            let items = pairs[1].1.as_sequence().expect("a list");
            prop_assert_eq!(string(&items[0]), item.as_str());
            let inner = items[1].as_mapping().expect("a mapping").iter().next().expect("one entry");
            prop_assert_eq!((string(inner.0), string(inner.1)), (key.as_str(), item.as_str()));
        }
    }

    /// A string of the document: not a number, a truth or nothing that looks like one.
    fn string(node: &YamlOwned) -> &str {
        match node {
            YamlOwned::Value(ScalarOwned::String(text)) => text,
            other => panic!("no string: {other:?}"),
        }
    }
}
