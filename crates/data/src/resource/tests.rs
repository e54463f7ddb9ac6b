use rusqlite::Connection;

use super::*;
use crate::catalog::sqlite::read;

const SCHEMA: &str = "
    CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT, password_hash TEXT);
    CREATE TABLE posts(id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users(id), title TEXT);
    CREATE TABLE clash(id INTEGER PRIMARY KEY, \"user\" TEXT, user_id INTEGER REFERENCES users(id), parentId REFERENCES clash, parent_id REFERENCES clash);
    CREATE TABLE seats(hall INT, seat INT, PRIMARY KEY(hall, seat)) WITHOUT ROWID;
    CREATE TABLE tickets(id INTEGER PRIMARY KEY, hall INT, seat INT, FOREIGN KEY(hall, seat) REFERENCES seats);
    CREATE TABLE bare(a, b);
    CREATE TABLE jobs(id INTEGER PRIMARY KEY, token TEXT);
    CREATE VIEW titles AS SELECT title FROM posts;";

fn catalog() -> Catalog {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(SCHEMA).unwrap();
    read(&connection).unwrap()
}

fn names(resource: &Resource) -> Vec<&str> {
    resource
        .fields
        .iter()
        .map(|field| field.name.as_str())
        .collect()
}

fn relations(resource: &Resource) -> Vec<(&str, Option<&str>)> {
    resource
        .relations
        .iter()
        .map(|relation| (relation.name.as_str(), relation.alias.as_deref()))
        .collect()
}

#[test]
fn discovery_hides_secrets_and_moves_reserved_names() {
    let resources = Resources::discover(&catalog());
    assert_eq!(
        names(resources.by_path("users").unwrap()),
        ["id", "name", "email"]
    );
    let hidden: Vec<_> = resources
        .hidden()
        .iter()
        .map(|h| (h.resource.as_str(), h.column.as_str()))
        .collect();
    assert_eq!(hidden, [("users", "password_hash"), ("jobs", "token")]);
    assert!(resources.by_path("jobs").is_none());
    assert_eq!(resources.by_path("jobs_table").unwrap().name, "jobs");
    assert!(
        resources
            .all()
            .iter()
            .all(|resource| !resource.is_writable())
    );
    assert!(!resources.by_path("bare").unwrap().has_key());
    assert!(!resources.by_path("titles").unwrap().has_key());
}

#[test]
fn relations_are_named_after_their_columns() {
    let resources = Resources::discover(&catalog());
    let check = |path: &str, expected: &[(&str, Option<&str>)]| {
        assert_eq!(
            relations(resources.by_path(path).unwrap()),
            expected,
            "{path}"
        );
    };
    check("posts", &[("user", Some("user_id"))]);
    // `user` is a column and `parent` would be two relations: only the columns' names are left.
    check(
        "clash",
        &[
            ("user_id", Some("user_id")),
            ("parentId", Some("parentId")),
            ("parent_id", Some("parent_id")),
        ],
    );
    check("tickets", &[]);
}

#[test]
fn configured_relations_replace_derived_ones() {
    let mut posts = ResourceSpec::new("posts");
    posts
        .relations
        .insert("author".to_owned(), "user_id".to_owned());
    let mut tickets = ResourceSpec::new("tickets");
    tickets
        .relations
        .insert("place".to_owned(), "hall, seat".to_owned());
    let specs = vec![
        ResourceSpec::new("users"),
        posts,
        tickets,
        ResourceSpec::new("seats"),
    ];
    let resources = Resources::build(&catalog(), specs).unwrap();
    assert_eq!(
        relations(&resources.all()[1]),
        [("author", Some("user_id"))]
    );
    assert_eq!(relations(&resources.all()[2]), [("place", None)]);
    assert_eq!(resources.all()[2].relations[0].target_columns, [0, 1]);
}

#[test]
fn a_relation_needs_an_exposed_target() {
    let resources = Resources::build(&catalog(), vec![ResourceSpec::new("posts")]).unwrap();
    assert!(relations(&resources.all()[0]).is_empty());
}

#[test]
fn a_secret_is_shown_only_when_named() {
    let mut users = ResourceSpec::new("users");
    users.fields = Some(vec!["password_hash".to_owned(), "id".to_owned()]);
    let resources = Resources::build(&catalog(), vec![users]).unwrap();
    assert_eq!(names(&resources.all()[0]), ["id", "password_hash"]);
    assert!(resources.hidden().is_empty());
}

#[test]
fn every_mistake_is_reported() {
    let mut users = ResourceSpec::new("user");
    users.table = Some("user".to_owned());
    let mut posts = ResourceSpec::new("export");
    posts.table = Some("posts".to_owned());
    posts.hidden = vec!["titel".to_owned()];
    posts.default_fields = Some(vec!["id".to_owned(), "nope".to_owned()]);
    posts
        .relations
        .insert("author".to_owned(), "usr_id".to_owned());
    posts.default_limit = 200;
    let mut view = ResourceSpec::new("titles");
    view.write = vec![WriteVerb::Create];
    let mut bare = ResourceSpec::new("bare");
    bare.write = vec![WriteVerb::Delete];
    let errors = Resources::build(&catalog(), vec![users, posts, view, bare]).unwrap_err();
    let shown: Vec<String> = errors
        .iter()
        .map(|e| format!("{}.{} {:?}", e.resource, e.key, e.kind))
        .collect();
    assert_eq!(
        shown,
        [
            "user.table Unknown",
            "export.name Reserved",
            "export.limit Invalid",
            "export.hidden Unknown",
            "export.default_fields Unknown",
            "titles.write Invalid",
            "bare.write Invalid",
            "export.relations.author Unknown",
        ]
    );
    assert!(
        errors[0].to_string().ends_with("Did you mean \"users\"?"),
        "{}",
        errors[0]
    );
    assert!(
        errors[3].to_string().ends_with("Did you mean \"title\"?"),
        "{}",
        errors[3]
    );
    assert!(errors[1].to_string().contains("path = "), "{}", errors[1]);
}
