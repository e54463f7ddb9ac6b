//! YAML with comments, of the few forms that a template has.

mod quote;
mod write;

pub(crate) use write::write;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    /// Keys in the order they are written.
    Map(Map),
    /// One after another.
    List(Vec<Node>),
    /// A string; quoted where it would be read as anything else.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A fraction.
    Fraction(f64),
    /// `true` or `false`.
    Bool(bool),
    /// A value behind a tag, such as `!Ref`.
    Tagged(&'static str, Box<Node>),
}

/// Keys with values, and a comment before some.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Map {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq)]
struct Entry {
    comment: Option<String>,
    key: String,
    node: Node,
}

impl Map {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a key.
    #[must_use]
    pub(crate) fn with(mut self, key: impl Into<String>, node: impl Into<Node>) -> Self {
        self.push(None, key.into(), node.into());
        self
    }

    /// Adds a key with the reason for its value.
    #[must_use]
    pub(crate) fn because(
        mut self,
        comment: impl Into<String>,
        key: impl Into<String>,
        node: impl Into<Node>,
    ) -> Self {
        self.push(Some(comment.into()), key.into(), node.into());
        self
    }

    /// Adds everything of another.
    #[must_use]
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.entries.extend(other.entries);
        self
    }

    /// Adds everything of another where the condition holds.
    #[must_use]
    pub(crate) fn and_if(self, condition: bool, other: impl FnOnce() -> Self) -> Self {
        if condition { self.and(other()) } else { self }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn push(&mut self, comment: Option<String>, key: String, node: Node) {
        self.entries.push(Entry { comment, key, node });
    }
}

impl Node {
    /// `!Ref NAME`.
    pub(crate) fn reference(name: &str) -> Self {
        Self::Tagged("!Ref", Box::new(name.into()))
    }

    /// `!Sub TEXT`.
    pub(crate) fn substitute(text: impl Into<String>) -> Self {
        Self::Tagged("!Sub", Box::new(Self::Text(text.into())))
    }

    /// `!GetAtt RESOURCE.ATTRIBUTE`.
    pub(crate) fn attribute(name: &str) -> Self {
        Self::Tagged("!GetAtt", Box::new(name.into()))
    }
}

impl From<Map> for Node {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}

impl From<Vec<Node>> for Node {
    fn from(list: Vec<Node>) -> Self {
        Self::List(list)
    }
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Node {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Node {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<u32> for Node {
    fn from(number: u32) -> Self {
        Self::Integer(number.into())
    }
}

/// A list of texts.
pub(crate) fn texts(texts: &[&str]) -> Node {
    Node::List(texts.iter().map(|text| Node::from(*text)).collect())
}
