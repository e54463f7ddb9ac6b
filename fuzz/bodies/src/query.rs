//! Query strings.

use paceline_data::catalog::sqlite;
use paceline_data::cursor::CursorKey;
use paceline_data::plan::ListPlan;
use paceline_data::query::{
    DEEPEST_SELECTION, Dialect, FieldNode, MOST_SELECTED, parse_fields, parse_list,
};
use paceline_data::resource::{ResourceSpec, Resources};
use rusqlite::Connection;

const SCHEMA: &str = "
    CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT, email TEXT, password_hash TEXT);
    CREATE TABLE posts(id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users, title TEXT, score REAL,
        live BOOLEAN, created_at DATETIME, data BLOB);
    CREATE TABLE \"Odd \"\" table\"(\"A b\" INTEGER, \"select\" TEXT, PRIMARY KEY(\"A b\", \"select\"));";

thread_local! {
    static SHOP: (Connection, Resources) = {
        let connection = Connection::open_in_memory().expect("memory");
        paceline_data::sqlite::register_functions(&connection).expect("a new function");
        connection.execute_batch(SCHEMA).expect("a valid schema");
        let catalog = sqlite::read(&connection).expect("a readable schema");
        let mut posts = ResourceSpec::new("posts");
        posts.relations.insert("author".to_owned(), "user_id".into());
        let mut odd = ResourceSpec::new("odd");
        odd.table = Some("Odd \" table".to_owned());
        let specs = vec![ResourceSpec::new("users"), posts, odd];
        let resources = Resources::build(&catalog, specs).expect("specs that fit the schema");
        (connection, resources)
    };
}

/// A selection: it reads as itself once written again, keeps its bounds, and is the same to both crates.
///
/// # Panics
/// When that does not hold.
pub fn fields(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let parsed = parse_fields(text);
    let other = paceline_http::fields::parse_fields(text);
    assert_eq!(
        parsed.as_ref().ok().map(|nodes| written(nodes)),
        other.as_ref().ok().map(|nodes| written_by_http(nodes)),
        "one grammar in both crates: {text}"
    );
    let Ok(nodes) = parsed else {
        return;
    };
    assert!(depth(&nodes) <= DEEPEST_SELECTION, "too deep: {text}");
    assert!(count(&nodes) <= MOST_SELECTED, "too many: {text}");
    assert_eq!(
        parse_fields(&written(&nodes)).as_ref(),
        Ok(&nodes),
        "{text}"
    );
}

/// A list's whole query, filters among it: what is accepted keeps its bounds and is SQL that SQLite prepares.
///
/// # Panics
/// When that does not hold.
pub fn filter(data: &[u8]) {
    let Ok(query) = std::str::from_utf8(data) else {
        return;
    };
    SHOP.with(|(connection, resources)| {
        for resource in resources.all() {
            let Ok(list) = parse_list(resources, resource, Dialect::Plain, query) else {
                continue;
            };
            assert!((1..=resource.max_limit).contains(&list.limit), "{query}");
            for filter in &list.filters {
                assert!(filter.path.len() < DEEPEST_SELECTION, "{query}");
                let owner = filter.path.iter().fold(resource, |owner, &relation| {
                    resources.get(owner.relations[relation].target)
                });
                assert!(filter.field < owner.fields.len(), "{query}");
            }
            let Ok(plan) = ListPlan::new(resources, &list, &CursorKey::new([7; 32])) else {
                continue;
            };
            let sql = &plan.statement.sql;
            assert!(
                !sql.contains("password_hash"),
                "{query} reached a hidden column: {sql}"
            );
            if let Err(error) = connection.prepare_cached(sql) {
                panic!("{query} became {sql}: {error}");
            }
        }
    });
}

fn depth(nodes: &[FieldNode]) -> usize {
    nodes
        .iter()
        .map(|node| 1 + depth(&node.children))
        .max()
        .unwrap_or(0)
}

fn count(nodes: &[FieldNode]) -> usize {
    nodes.iter().map(|node| 1 + count(&node.children)).sum()
}

fn written_by_http(nodes: &[paceline_http::fields::FieldNode]) -> String {
    let written = nodes.iter().map(|node| match node.children.as_slice() {
        [] => node.name.clone(),
        children => format!("{}({})", node.name, written_by_http(children)),
    });
    written.collect::<Vec<_>>().join(",")
}

/// The selection as `a,b(c,d)`.
fn written(nodes: &[FieldNode]) -> String {
    let names = nodes.iter().map(|node| {
        if node.children.is_empty() {
            node.name.clone()
        } else {
            format!("{}({})", node.name, written(&node.children))
        }
    });
    names.collect::<Vec<_>>().join(",")
}
