//! `[resources.*]`: which tables are served, and what of them.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use super::access::{self, AccessRules};
use super::events::{self, Events};
use super::reader::{NamedValue, Section, nearest};
use super::values::{self, Invalid};

/// What the API shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resources {
    /// No `[resources]`: every table, read-only, each under its own name.
    EveryTable,
    /// The tables named, in the order of the file; never empty.
    Named(Vec<Resource>),
}

/// `[resources.NAME]`: one table under `/api/{path}` and `/api/export/{path}`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resource {
    /// The name in the file.
    pub name: String,
    /// The path segment. Default: the name.
    pub path: String,
    /// The table. Default: the name.
    pub table: String,
    /// Its name in `fields[type]=` and in JSON:API. Default: the table.
    pub kind: String,
    /// The only columns that exist for clients, `None` for all. Default all.
    pub fields: Option<Vec<String>>,
    /// Columns that do not exist for clients. Default: none but those with secret-looking names.
    pub hidden: Vec<String>,
    /// The fields shown when a request names none, `None` for all. Default all.
    pub default_fields: Option<Vec<String>>,
    /// Names and bounds of relations. Default: derived names, 100 rows.
    pub relations: Vec<Relation>,
    /// Which writes are served. Default none.
    pub write: BTreeSet<WriteVerb>,
    /// Who may use which verb. Default: everybody reads, writes need a token or key.
    pub access: AccessRules,
    /// Whether PATCH, PUT and DELETE without `If-Match` are answered with 428. Default false.
    pub require_match: bool,
    /// The text column that is set to the time (RFC 3339, UTC) of each write. Default none.
    pub touch: Option<String>,
    /// The jobs that follow writes. Default none.
    pub on: Events,
    /// Rows on a page when a request does not say. Default 20.
    pub limit: NonZeroU32,
    /// The most rows a request may ask for on a page. Default 100.
    pub max_limit: NonZeroU32,
    /// The only fields that may be sorted by, `None` for all. Default all.
    pub sort: Option<Vec<String>>,
    /// The order when a request does not say: fields, `-` in front for largest first. Default: the primary key.
    pub default_sort: Vec<String>,
    /// Whether sorting and filtering by columns without an index is served on tables above
    /// 100,000 rows. Default false.
    pub unindexed: bool,
}

/// One way in which rows may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WriteVerb {
    /// POST on the list.
    Create,
    /// PATCH on a row.
    Update,
    /// PUT on a row.
    Replace,
    /// DELETE on a row.
    Delete,
}

/// A relation under a name of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Relation {
    /// The name in `fields=name.column`.
    pub name: String,
    /// The referring columns, in the order of the foreign key: of this table, of the resource it comes from, or of
    /// the table it goes through. Empty only where one of these is said, or a bound.
    pub columns: Vec<String>,
    /// `from`: the resource whose rows refer to this one's.
    pub from: Option<String>,
    /// `through`: the table whose rows relate this one's to another's.
    pub through: Option<String>,
    /// `limit`: how many rows of a relation to several are shown. Default 100.
    pub limit: Option<NonZeroU32>,
}

impl WriteVerb {
    /// Every verb and its word in the file.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Create, "create"),
        (Self::Update, "update"),
        (Self::Replace, "replace"),
        (Self::Delete, "delete"),
    ];

    fn parse(text: &str) -> Result<Self, Invalid> {
        if let Some((verb, _)) = Self::ALL.iter().find(|(_, word)| *word == text) {
            return Ok(*verb);
        }
        let invalid = Invalid::expected("\"create\", \"update\", \"replace\" or \"delete\"");
        let lower = text.to_lowercase();
        let meant = match lower.as_str() {
            "post" | "insert" => Some("create"),
            "patch" => Some("update"),
            "put" => Some("replace"),
            "remove" => Some("delete"),
            _ => nearest(&lower, &Self::ALL.map(|(_, word)| word)),
        };
        Err(match meant {
            Some(word) => invalid.instead(word),
            None => invalid,
        })
    }
}

pub(super) fn resources(section: &Section<'_, '_>) -> Resources {
    let named: Vec<Resource> = section
        .named_sections()
        .iter()
        .map(|(name, section)| resource(name, section))
        .collect();
    if named.is_empty() {
        Resources::EveryTable
    } else {
        Resources::Named(named)
    }
}

fn resource(name: &str, section: &Section<'_, '_>) -> Resource {
    let number = |key, usual: u32| {
        let number = section.integer32(key, 1..=10_000).unwrap_or(usual);
        NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
    };
    let table = section
        .parsed("table", values::name)
        .unwrap_or_else(|| name.to_owned());
    let path = section.parsed("path", values::segment);
    let resource = Resource {
        name: name.to_owned(),
        path: path.unwrap_or_else(|| name.to_owned()),
        kind: section
            .parsed("type", values::name)
            .unwrap_or_else(|| table.clone()),
        table,
        fields: section.list("fields", values::name),
        hidden: section.list("hidden", values::name).unwrap_or_default(),
        default_fields: section.list("default_fields", values::name),
        relations: section
            .section("relations")
            .map(|section| relations(&section))
            .unwrap_or_default(),
        write: section
            .list("write", WriteVerb::parse)
            .unwrap_or_default()
            .into_iter()
            .collect(),
        access: access::rules(section),
        require_match: section.boolean("require_match").unwrap_or(false),
        touch: section.parsed("touch", values::name),
        on: section
            .section("on")
            .map(|section| events::events(&section))
            .unwrap_or_default(),
        limit: number("limit", 20),
        max_limit: number("max_limit", 100),
        sort: section.list("sort", values::name),
        default_sort: section
            .list("default_sort", values::name)
            .unwrap_or_default(),
        unindexed: section.boolean("unindexed").unwrap_or(false),
    };
    section.finish();
    resource
}

fn relations(section: &Section<'_, '_>) -> Vec<Relation> {
    let mut relations = Vec::new();
    for (name, value) in section.named_values() {
        let relation = match value {
            NamedValue::Texts(columns) => Relation {
                name,
                columns,
                from: None,
                through: None,
                limit: None,
            },
            NamedValue::Table(section) => relation(name, &section),
        };
        let says_nothing = relation.columns.is_empty()
            && relation.from.is_none()
            && relation.through.is_none()
            && relation.limit.is_none();
        if says_nothing {
            let mistake = super::Mistake::new(
                section.reader.span(&section.key(&relation.name)),
                format!("the relation `{}` names no column", relation.name),
            );
            section.reader.report(mistake.expected(
                "the column that refers, such as \"user_id\", or { from = \"posts\" } or { through = \"post_tags\" }",
            ));
        }
        relations.push(relation);
    }
    relations
}

/// `{ from = "posts", by = "user_id", limit = 20 }`.
fn relation(name: String, section: &Section<'_, '_>) -> Relation {
    let by = section.parsed("by", values::name);
    let columns = by.iter().flat_map(|by| by.split(','));
    let relation = Relation {
        name,
        columns: columns.map(|column| column.trim().to_owned()).collect(),
        from: section.parsed("from", values::name),
        through: section.parsed("through", values::name),
        limit: section
            .integer32("limit", 1..=10_000)
            .and_then(NonZeroU32::new),
    };
    section.finish();
    relation
}
