//! How the engines find related rows: by the indexes of foreign keys.

use paceline_data::query::Dialect;

use super::Each;

/// The steps SQLite takes for a list.
fn steps(library: &Each, path: &str, query: &str) -> Vec<String> {
    let plan = library.sqlite.list(path, query, Dialect::Plain).unwrap();
    let connection = library.file.connect();
    paceline_data::sqlite::register_functions(&connection).unwrap();
    let sql = format!("EXPLAIN QUERY PLAN {}", plan.statement.sql);
    let mut statement = connection.prepare(&sql).unwrap();
    let mut rows = statement.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        steps.push(row.get(3).unwrap());
    }
    steps
}

#[tokio::test]
async fn related_rows_are_found_by_the_index_of_the_key_that_refers() {
    let library = Each::library().await;
    for (path, query, search) in [
        (
            "people",
            "fields=posts.title",
            "USING INDEX posts_author (author_id=?)",
        ),
        (
            "people",
            "fields=people_by_boss.name",
            "USING INDEX people_boss (boss_id=?)",
        ),
        (
            "companies",
            "fields=people.posts.id",
            "posts_author (author_id=?)",
        ),
        ("tags", "fields=posts.title", "post_tags_tag (tag=?)"),
        ("posts", "fields=tags.colour", "post_tags_1 (post_id=?)"),
        (
            "posts",
            "author.name=Ann&fields=id",
            "posts_author (author_id=?)",
        ),
        (
            "people",
            "posts.id=3&fields=id",
            "SEARCH t0 USING INTEGER PRIMARY KEY (rowid=?)",
        ),
    ] {
        let steps = steps(&library, path, query);
        assert!(
            steps.iter().any(|step| step.contains(search)),
            "{query}: {steps:#?}"
        );
    }
}

#[tokio::test]
async fn lists_are_read_for_the_rows_of_the_page_only() {
    let library = Each::library().await;
    // A page sorted by nothing that is indexed: the list is not among what is sorted.
    let steps = steps(
        &library,
        "people",
        "sort=name&fields=posts.title&page=2&limit=2",
    );
    let place = |part: &str| steps.iter().position(|step| step.contains(part));
    let sorted = place("USE TEMP B-TREE FOR ORDER BY");
    let gathered = place("posts_author");
    assert!(sorted.is_some() && sorted < gathered, "{steps:#?}");
    assert!(place("CO-ROUTINE walk") < sorted, "{steps:#?}");
}

#[tokio::test]
async fn postgresql_finds_them_by_the_index_too() {
    let library = Each::library().await;
    // Enough rows that an index is worth it.
    let rows = "INSERT INTO people SELECT i, 'P' || i, NULL, NULL FROM generate_series(10, 5000) AS i;
        INSERT INTO posts SELECT i, i % 4000 + 10, NULL, 'T' || i, i FROM generate_series(10, 20000) AS i; ANALYZE;";
    library.servers.0.sql(&library.names.0, rows);
    let plan = library
        .postgres
        .list("people", "fields=name,posts.title&limit=20", Dialect::Plain)
        .unwrap();
    let sql = plan.statement.sql.replace("$1::int8", "21");
    let told = library
        .servers
        .0
        .sql(&library.names.0, &format!("EXPLAIN {sql}"));
    assert!(told.contains("posts_author"), "{told}");
    assert!(!told.contains("Seq Scan on posts"), "{told}");
}

#[tokio::test]
async fn mariadb_finds_them_by_the_index_too() {
    let library = Each::library().await;
    let rows = "INSERT INTO people SELECT seq, concat('P', seq), NULL, NULL FROM seq_10_to_5000;
        INSERT INTO posts SELECT seq, seq % 4000 + 10, NULL, concat('T', seq), seq FROM seq_10_to_20000;
        ANALYZE TABLE people, posts;";
    library.servers.1.sql(&library.names.1, rows);
    let plan = library
        .mariadb
        .list("people", "fields=name,posts.title&limit=20", Dialect::Plain)
        .unwrap();
    let sql = plan.statement.sql.replace("?1", "21");
    let told = library
        .servers
        .1
        .sql(&library.names.1, &format!("EXPLAIN {sql}"));
    assert!(told.contains("posts_author"), "{told}");
}
