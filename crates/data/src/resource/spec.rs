//! What a configuration says about one resource, before it is checked.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::owner::Owners;

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

/// A relation as it is asked for: see the fields for which of them says what.
///
/// ```
/// use paceline_data::resource::RelationSpec;
/// let author = RelationSpec::from("user_id");
/// let posts = RelationSpec { from: Some("posts".to_owned()), limit: Some(50), ..RelationSpec::from("user_id") };
/// let tags = RelationSpec { through: Some("post_tags".to_owned()), ..RelationSpec::default() };
/// # let _ = (author, posts, tags);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RelationSpec {
    /// The foreign-key columns, joined by commas: of this resource's table; with `from` of the table that refers
    /// to it, with `through` those of the junction that do. May be empty with one of these, where only one key
    /// leads here.
    pub by: String,
    /// The resource that refers to this one.
    pub from: Option<String>,
    /// The table between this resource and another: its rows refer to one of each.
    pub through: Option<String>,
    /// How many related rows of a row are shown at most. Default: [`RelationSpec::DEFAULT_LIMIT`].
    /// Alone it bounds the derived relation of this name.
    pub limit: Option<u32>,
}

impl RelationSpec {
    /// The most related rows of a row that are shown when the configuration does not say.
    pub const DEFAULT_LIMIT: u32 = 100;
    /// The most that a configuration may ask for.
    pub const MAX_LIMIT: u32 = 10_000;
}

impl From<&str> for RelationSpec {
    /// The relation that follows this foreign key of the resource's own table.
    fn from(by: &str) -> Self {
        Self {
            by: by.to_owned(),
            ..Self::default()
        }
    }
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
    /// Relations by name. A name given here replaces the derived one.
    pub relations: BTreeMap<String, RelationSpec>,
    /// What may be written. Default: nothing.
    pub write: Vec<WriteVerb>,
    /// The columns that name the owners of rows, verb by verb. Default: rows have no owners.
    pub owners: Owners<String>,
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
            owners: Owners::default(),
            export: true,
            default_limit: Self::DEFAULT_LIMIT,
            max_limit: Self::MAX_LIMIT,
            sort: None,
            default_sort: Vec::new(),
            allow_unindexed: false,
        }
    }
}
