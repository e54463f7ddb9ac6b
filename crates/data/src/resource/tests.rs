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
            ("clash_by_parentId", None),
            ("clash_by_parent_id", None),
        ],
    );
    check("tickets", &[]);
    check("seats", &[("tickets", None)]);
    check("users", &[("posts", None), ("clash", None)]);
}

const MANY: &str = "
    CREATE TABLE people(id INTEGER PRIMARY KEY, name TEXT, ReportsTo INTEGER REFERENCES people);
    CREATE TABLE profiles(person_id INTEGER PRIMARY KEY REFERENCES people, about TEXT);
    CREATE TABLE posts(id INTEGER PRIMARY KEY, author_id INTEGER REFERENCES people, editor_id INTEGER REFERENCES people,
        secret INTEGER REFERENCES people);
    CREATE TABLE tags(id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE post_tags(post_id INTEGER REFERENCES posts, tag_id INTEGER REFERENCES tags, since TEXT,
        PRIMARY KEY(post_id, tag_id));
    CREATE TABLE follows(follower_id INTEGER REFERENCES people, followee_id INTEGER REFERENCES people,
        PRIMARY KEY(follower_id, followee_id));
    CREATE TABLE ratings(post_id INTEGER REFERENCES posts, tag_id INTEGER REFERENCES tags, at TEXT,
        PRIMARY KEY(post_id, tag_id, at));
    CREATE TABLE labels(id INTEGER PRIMARY KEY, post_id INTEGER REFERENCES posts, tag_id INTEGER REFERENCES tags,
        UNIQUE(post_id, tag_id));";

fn many() -> Catalog {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(MANY).unwrap();
    read(&connection).unwrap()
}

/// Name, target, and how many rows it leads to.
fn backward(resources: &Resources, path: &str) -> Vec<(String, String, Cardinality)> {
    let resource = resources.by_path(path).unwrap();
    let backward = resource.relations.iter().filter(|known| !known.is_forward);
    let told = backward.map(|known| {
        let target = resources.get(known.target).name.clone();
        (known.name.clone(), target, known.cardinality)
    });
    told.collect()
}

#[track_caller]
fn check_backward(resources: &Resources, path: &str, expected: &[(&str, &str, Option<u32>)]) {
    let expected: Vec<_> = expected
        .iter()
        .map(|&(name, target, limit)| {
            let cardinality = limit.map_or(Cardinality::One, |limit| Cardinality::Many { limit });
            (name.to_owned(), target.to_owned(), cardinality)
        })
        .collect();
    assert_eq!(backward(resources, path), expected, "{path}");
}

#[test]
fn relations_against_keys_are_named_after_who_refers() {
    let resources = Resources::discover(&many());
    let all = Some(100);
    check_backward(
        &resources,
        "people",
        &[
            ("people_by_ReportsTo", "people", all),
            // A unique key leads back to one row.
            ("profiles", "profiles", None),
            // `secret` is hidden, and with it what it would name.
            ("posts_by_author", "posts", all),
            ("posts_by_editor", "posts", all),
            ("follows_by_follower", "follows", all),
            ("follows_by_followee", "follows", all),
            ("people_by_followee", "people", all),
            ("people_by_follower", "people", all),
        ],
    );
    check_backward(
        &resources,
        "posts",
        &[
            ("post_tags", "post_tags", all),
            ("ratings", "ratings", all),
            ("labels", "labels", all),
            // Neither three columns nor a key of its own make a junction.
            ("tags", "tags", all),
        ],
    );
}

#[test]
fn a_junction_that_is_not_exposed_relates_nothing_by_itself() {
    let build = |names: &[&str]| {
        let specs = names.iter().map(|name| ResourceSpec::new(*name));
        Resources::build(&many(), specs.collect()).unwrap()
    };
    check_backward(&build(&["posts", "tags"]), "posts", &[]);
    let all = Some(100);
    check_backward(
        &build(&["posts", "tags", "post_tags"]),
        "tags",
        &[("post_tags", "post_tags", all), ("posts", "posts", all)],
    );
    let mut half = ResourceSpec::new("post_tags");
    half.hidden = vec!["tag_id".to_owned()];
    let specs = vec![ResourceSpec::new("posts"), ResourceSpec::new("tags"), half];
    let resources = Resources::build(&many(), specs).unwrap();
    check_backward(&resources, "posts", &[("post_tags", "post_tags", all)]);
    check_backward(&resources, "tags", &[]);
}

fn related(name: &str, spec: RelationSpec) -> Result<Resources, Vec<ResourceError>> {
    let mut posts = ResourceSpec::new("posts");
    posts.relations.insert(name.to_owned(), spec);
    let mut people = ResourceSpec::new("people");
    people.relations.insert(
        "written".to_owned(),
        RelationSpec {
            from: Some("posts".to_owned()),
            limit: Some(5),
            ..RelationSpec::from("author_id")
        },
    );
    let others = ["tags", "ratings"].map(ResourceSpec::new);
    let specs = [posts, people].into_iter().chain(others);
    Resources::build(&many(), specs.collect())
}

#[test]
fn the_configuration_names_and_bounds_relations() {
    let through = |table: &str| RelationSpec {
        through: Some(table.to_owned()),
        limit: Some(7),
        ..RelationSpec::default()
    };
    let resources = related("labels", through("post_tags")).unwrap();
    let all = Some(100);
    check_backward(
        &resources,
        "posts",
        &[("labels", "tags", Some(7)), ("ratings", "ratings", all)],
    );
    // A unique key over both will do where it is named.
    let resources = related("labels", through("labels")).unwrap();
    check_backward(
        &resources,
        "posts",
        &[("labels", "tags", Some(7)), ("ratings", "ratings", all)],
    );
    check_backward(
        &resources,
        "people",
        &[
            ("written", "posts", Some(5)),
            ("people_by_ReportsTo", "people", all),
            ("posts", "posts", all),
        ],
    );
    let bound = RelationSpec {
        limit: Some(3),
        ..RelationSpec::default()
    };
    let resources = related("ratings", bound).unwrap();
    check_backward(&resources, "posts", &[("ratings", "ratings", Some(3))]);
}

#[test]
fn mistakes_in_relations_are_named() {
    let check = |name: &str, spec: RelationSpec, key: &str, part: &str| {
        let errors = related(name, spec).unwrap_err();
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert_eq!(errors[0].key, format!("relations.{key}"), "{}", errors[0]);
        assert!(errors[0].message.contains(part), "{}", errors[0]);
    };
    let from = |resource: &str| RelationSpec {
        from: Some(resource.to_owned()),
        ..RelationSpec::default()
    };
    let through = |table: &str| RelationSpec {
        through: Some(table.to_owned()),
        ..RelationSpec::default()
    };
    let limit = |limit: u32, spec: RelationSpec| RelationSpec {
        limit: Some(limit),
        ..spec
    };
    check("x", from("rating"), "x.from", "Did you mean \"ratings\"?");
    check("x", from("people"), "x.from", "no such foreign key");
    check(
        "x",
        through("post_tag"),
        "x.through",
        "Did you mean \"post_tags\"?",
    );
    check("x", through("ratings"), "x.through", "unique together");
    check("id", from("ratings"), "id", "already");
    check("author", from("ratings"), "author", "already");
    check("x", limit(0, from("ratings")), "x.limit", "from 1 to 10000");
    check(
        "x",
        limit(10_001, from("ratings")),
        "x.limit",
        "from 1 to 10000",
    );
    check(
        "rating",
        limit(5, RelationSpec::default()),
        "rating",
        "Did you mean \"ratings\"?",
    );
    check(
        "x",
        limit(5, RelationSpec::from("author_id")),
        "x.limit",
        "one row",
    );
    let both = RelationSpec {
        through: Some("post_tags".to_owned()),
        ..from("ratings")
    };
    check("x", both, "x.from", "either from or through");
}

#[test]
fn configured_relations_replace_derived_ones() {
    let mut posts = ResourceSpec::new("posts");
    posts
        .relations
        .insert("author".to_owned(), "user_id".into());
    let mut tickets = ResourceSpec::new("tickets");
    tickets
        .relations
        .insert("place".to_owned(), "hall, seat".into());
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
    posts.relations.insert("author".to_owned(), "usr_id".into());
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

#[test]
fn relations_without_an_index_are_told() {
    let resources = Resources::discover(&many());
    let told: Vec<String> = resources
        .missing_indexes()
        .into_iter()
        .map(|missing| {
            let columns = missing.columns.join(",");
            format!(
                "{}.{}: {}({columns})",
                missing.resource, missing.relation, missing.table
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "people.people_by_ReportsTo: people(ReportsTo)",
            "people.posts_by_author: posts(author_id)",
            "people.posts_by_editor: posts(editor_id)",
            "people.follows_by_followee: follows(followee_id)",
            "people.people_by_follower: follows(followee_id)",
            "tags.post_tags: post_tags(tag_id)",
            "tags.ratings: ratings(tag_id)",
            "tags.labels: labels(tag_id)",
            "tags.posts: post_tags(tag_id)",
        ]
    );
}
