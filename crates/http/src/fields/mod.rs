//! Sparse fieldsets: clients say which fields they want, and others are not even serialised.
//!
//! | request | answer |
//! |---|---|
//! | `fields=id,author.name` | `{"id":1,"author":{"name":"Ada"}}` |
//! | `fields=id,author(name)` | the same |
//! | `fields[post]=id,author&fields[user]=name` | `{"data":{"id":1,"author":{"name":"Ada"}}}` |
//!
//! `fields[type]` follows JSON:API 1.1: an empty list is no field, and types not named show their default
//! fields. The two kinds exclude each other. A selection has at most [`MOST_SELECTED`] names and is at most
//! [`DEEPEST_SELECTION`] deep; the query string is read up to 8 KiB.
//!
//! What may be chosen is a [`Schema`], the allow-list of a type: what is not listed is not shown with or
//! without `fields`. [`Fields`] is the extractor, [`Selected`] the answer:
//!
//! ```
//! use std::sync::LazyLock;
//!
//! use paceline_http::fields::{Fields, Schema, Selectable, Selected};
//! use serde::Serialize;
//!
//! #[derive(Serialize)]
//! struct User {
//!     id: u64,
//!     name: &'static str,
//!     password_hash: &'static str,
//! }
//!
//! impl Selectable for User {
//!     fn schema() -> &'static Schema {
//!         static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::new("user").with_fields(["id", "name"]));
//!         &SCHEMA
//!     }
//! }
//!
//! async fn user(fields: Fields<User>) -> Selected<User> {
//!     fields.of(User { id: 1, name: "Ada", password_hash: "x" })
//! }
//! # let app: axum::Router = axum::Router::new().route("/user", axum::routing::get(user));
//!
//! let fields = Fields::<User>::from_query("fields=name").unwrap();
//! let shown = fields.of(vec![User { id: 1, name: "Ada", password_hash: "x" }]);
//! assert_eq!(serde_json::to_string(&shown).unwrap(), r#"[{"name":"Ada"}]"#);
//!
//! let problem = Fields::<User>::from_query("fields=nome").unwrap_err();
//! assert_eq!(problem.detail(), Some("There is no field \"nome\" here. Did you mean \"name\"?"));
//! assert_eq!(problem.code(), Fields::<User>::from_query("fields=password_hash").unwrap_err().code());
//! ```
//!
//! Values are pruned in the call that writes them: a serializer around the one of the format, no tree of
//! values in between. Enums look as they do in JSON: the variant is the name of a member, unless a tag says
//! otherwise. Not for formats that need the number of fields before the fields.
//!
//! Where rows come from a database, columns that are not selected are better not read at all: look at
//! [`Fields::selection`].

mod extract;
mod grammar;
mod nearest;
mod prune;
mod resolve;
mod schema;
mod selected;
mod selection;

pub use self::extract::Fields;
pub use self::grammar::{DEEPEST_SELECTION, FieldNode, InvalidFields, MOST_SELECTED, parse_fields};
pub use self::schema::{Schema, Selectable};
pub use self::selected::Selected;
pub use self::selection::{Part, Selection};

#[cfg(test)]
mod tests;
