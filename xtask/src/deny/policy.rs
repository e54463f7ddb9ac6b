//! The part of `deny.toml` that is judged here.

use serde::Deserialize;

/// `deny.toml`.
#[derive(Debug, Deserialize)]
pub(super) struct Policy {
    pub(super) licenses: Licences,
    bans: Bans,
    sources: Sources,
}

/// `[licenses]`.
#[derive(Debug, Deserialize)]
pub(super) struct Licences {
    /// SPDX ids, with their exception where one is meant.
    pub(super) allow: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

/// A crate that must not be in the graph.
#[derive(Debug, Deserialize)]
pub(super) struct Ban {
    #[serde(rename = "crate")]
    name: String,
    /// Why it is banned.
    pub(super) reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: Vec<String>,
}

impl Policy {
    /// Reads the workspace's `deny.toml`.
    pub(super) fn read() -> Result<Self, String> {
        let path = crate::workspace::root().join("deny.toml");
        let text = std::fs::read_to_string(path).map_err(|error| format!("deny.toml: {error}"))?;
        Self::parse(&text)
    }

    /// Reads the text of a `deny.toml`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| format!("deny.toml: {error}"))
    }

    /// The ban on that crate.
    pub(super) fn ban(&self, name: &str) -> Option<&Ban> {
        self.bans.deny.iter().find(|ban| ban.name == name)
    }

    /// Whether packages may come from `source`, written as cargo does (`registry+https://...`).
    pub(super) fn allows_source(&self, source: &str) -> bool {
        let registry = source.strip_prefix("registry+");
        registry.is_some_and(|registry| {
            self.sources
                .allow_registry
                .iter()
                .any(|allowed| allowed == registry)
        })
    }
}
