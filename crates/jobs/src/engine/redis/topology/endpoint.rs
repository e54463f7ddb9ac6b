use std::fmt;
use std::sync::Arc;

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Endpoint {
    pub(super) host: Arc<str>,
    pub(super) port: u16,
}

impl Endpoint {
    pub(super) fn new(host: &str, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
        }
    }

    /// What `text` names (`host:port`, the last colon divides them). A host that is left out is `asked`:
    /// nodes that do not know their own name leave it out.
    pub(super) fn parse(text: &str, asked: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Some(Self::new(named(host, asked), port.parse().ok()?))
    }
}

/// The host, or the one that was asked where a node does not know its own.
pub(super) fn named<'a>(host: &'a str, asked: &'a str) -> &'a str {
    if matches!(host, "" | "?") {
        asked
    } else {
        host
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirection_names_a_node_as_far_as_the_node_knows_it() {
        for (text, expected) in [
            ("10.0.0.1:7000", Some("10.0.0.1:7000")),
            ("::1:7000", Some("[::1]:7000")),
            ("[::1]:7000", Some("[::1]:7000")),
            (":7000", Some("asked:7000")),
            ("?:7000", Some("asked:7000")),
            ("node-1.example.com:7000", Some("node-1.example.com:7000")),
            ("node-1", None),
            ("node-1:port", None),
        ] {
            let parsed = Endpoint::parse(text, "asked").map(|endpoint| endpoint.to_string());
            assert_eq!(parsed.as_deref(), expected, "{text}");
        }
    }
}
