//! The keys of the configuration.

use std::sync::Arc;

use paceline_data::Principal;
use paceline_data::resource::AccessVerb;

use crate::config;
use crate::secret::{KEY_PREFIX, KeyHash};

/// The keys that are taken.
#[derive(Debug, Default)]
pub(crate) struct ApiKeys(Vec<Known>);

#[derive(Debug)]
struct Known {
    hash: KeyHash,
    principal: Principal,
    verbs: Option<Arc<[AccessVerb]>>,
}

/// What a key stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) principal: Principal,
    /// What it may be used for; `None` for everything.
    pub(crate) verbs: Option<Arc<[AccessVerb]>>,
}

impl ApiKeys {
    /// Those of a configuration.
    pub(crate) fn new(keys: &[config::ApiKey]) -> Self {
        let known = keys.iter().map(|key| Known {
            hash: key.hash,
            principal: Principal::new(key.principal.as_str()),
            verbs: key.verbs.clone().map(Arc::from),
        });
        Self(known.collect())
    }

    /// Whether the text is meant to be a key, good or not.
    pub(crate) fn is_key(text: &str) -> bool {
        text.starts_with(KEY_PREFIX)
    }

    /// What the key stands for. All are compared, each in constant time.
    pub(crate) fn find(&self, key: &str) -> Option<Held> {
        let hash = KeyHash::of(key)?;
        let mut found = None;
        for known in &self.0 {
            if known.hash.is(&hash) {
                found = Some(known);
            }
        }
        found.map(|known| Held {
            principal: known.principal.clone(),
            verbs: known.verbs.clone(),
        })
    }
}
