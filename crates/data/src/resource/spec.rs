//! What a configuration says about one resource, before it is checked.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A way of changing rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WriteVerb {
    /// `POST` on the resource.
    Create,
    /// `PATCH` on a row.
    Update,
    /// `PUT` on a row.
    Replace,
    /// `DELETE` on a row.
    Delete,
}

/// One resource as it is asked for. Only the name is needed; see [`ResourceSpec::new`] for the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceSpec {
    /// Its name, unique.
    pub name: String,
    /// Its segment of the URL. Default: the name.
    pub path: Option<String>,
    /// The table or view. Default: the name.
    pub table: Option<String>,
    /// Its name in `fields[type]` and JSON:API. Default: the table's name.
    pub type_name: Option<String>,
    /// Columns never shown, filtered or sorted by.
    pub hidden: Vec<String>,
    /// The only columns exposed. Default: all that are not hidden and do not look like secrets.
    pub fields: Option<Vec<String>>,
    /// The fields selected when a request does not say. Default: all exposed.
    pub default_fields: Option<Vec<String>>,
    /// Relations by name, each with its foreign-key column; several columns of one key are joined
    /// by commas. A name given here replaces the derived one.
    pub relations: BTreeMap<String, String>,
    /// What may be written. Default: nothing.
    pub write: Vec<WriteVerb>,
    /// Whether it can be exported. Default: yes.
    pub export: bool,
    /// Rows a page when a request does not say. Default: 20.
    pub default_limit: u32,
    /// The most rows a page. Default: 100.
    pub max_limit: u32,
    /// The only fields that may be sorted by. Default: all exposed whose values have an order.
    pub sort: Option<Vec<String>>,
    /// The order when a request does not say: fields, `-` in front for largest first. Default: the primary key.
    pub default_sort: Vec<String>,
    /// Whether tables above 100,000 rows may be searched and sorted without an index. Default: no.
    pub allow_unindexed: bool,
}

impl ResourceSpec {
    /// Rows a page when neither the request nor the configuration says.
    pub const DEFAULT_LIMIT: u32 = 20;
    /// The most rows a page when the configuration does not say.
    pub const MAX_LIMIT: u32 = 100;

    /// The table of this name, read-only, with every default.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            path: None,
            table: None,
            type_name: None,
            hidden: Vec::new(),
            fields: None,
            default_fields: None,
            relations: BTreeMap::new(),
            write: Vec::new(),
            export: true,
            default_limit: Self::DEFAULT_LIMIT,
            max_limit: Self::MAX_LIMIT,
            sort: None,
            default_sort: Vec::new(),
            allow_unindexed: false,
        }
    }
}
