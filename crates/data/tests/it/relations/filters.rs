//! Filters on related rows.

use paceline_data::query::{Dialect, QueryErrorCode};
use paceline_data::resource::{ResourceSpec, Resources};

use super::{Each, Served};

#[tokio::test]
async fn a_filter_on_a_relation_keeps_rows_with_such_a_related_row() {
    let library = Each::library().await;
    let check = async |path: &str, query: &str, expected: &[i64]| {
        let rows = library.rows(path, &format!("{query}&fields=id")).await;
        let rows: Vec<serde_json::Value> = serde_json::from_str(&rows).unwrap();
        let ids: Vec<i64> = rows.iter().map(|row| row["id"].as_i64().unwrap()).collect();
        assert_eq!(ids, expected, "{path}?{query}");
        let expected = u64::try_from(expected.len()).unwrap();
        for served in library.each() {
            assert_eq!(served.total(path, query).await, expected, "{path}?{query}");
        }
    };
    check("posts", "author.name=Ann", &[1, 2, 5]).await;
    check("posts", "author_id.name=Ann&score=5", &[1, 5]).await;
    check("posts", "filter[author.name][ne]=Ann", &[3]).await;
    check("posts", "author.company.name[in]=Acme,Bolt", &[1, 2, 3, 5]).await;
    // The row without an author has no related row that could pass.
    check("posts", "author.name[null]=true", &[6]).await;
    check("posts", "author.name[null]=false", &[1, 2, 3, 5]).await;
    check("people", "posts.title[like]=t%25", &[1, 2]).await;
    check("people", "posts_by_editor.score[gte]=5", &[1, 2]).await;
    check("people", "people_by_boss.people_by_boss.id[gt]=0", &[1]).await;
    check("people", "profiles.about=first", &[1]).await;
    check("posts", "tags.colour=b", &[1, 5]).await;
    check("posts", "post_tags.tag=blue", &[1, 5]).await;
    check("posts", "tags.colour=b&author.boss_id[null]=true", &[1, 5]).await;
    check("people", "posts.tags.name=red&posts.editor.name=Bob", &[1]).await;
    check("tickets", "id[lt]=3", &[1, 2]).await;
    check("companies", "people.name=O%27Hara%22%3B--", &[]).await;
}

#[tokio::test]
async fn all_tests_by_one_relation_are_about_one_related_row() {
    let library = Each::library().await;
    // Ann wrote "Two" and wrote with a score of 5, but not one post that is both.
    library
        .check("people", "posts.title=Two&fields=id", "[{\"id\":1}]")
        .await;
    library
        .check("people", "posts.score=5&fields=id", "[{\"id\":1}]")
        .await;
    library
        .check("people", "posts.title=Two&posts.score=5&fields=id", "[]")
        .await;
    library
        .check(
            "people",
            "posts.title=One&posts.score=5&fields=id",
            "[{\"id\":1}]",
        )
        .await;
    // By two relations they may be two rows.
    library
        .check(
            "people",
            "posts.title=Two&posts_by_editor.score=7&fields=id",
            "[{\"id\":1}]",
        )
        .await;
    // Also further on: one post with one tag that is both.
    library
        .check(
            "people",
            "posts.tags.name=red&posts.tags.colour=b&fields=id",
            "[]",
        )
        .await;
}

#[tokio::test]
async fn composite_keys_are_compared_as_one() {
    let library = Each::library().await;
    library
        .check(
            "seats",
            "tickets.id=3&fields=hall,seat",
            r#"[{"hall":"B","seat":1}]"#,
        )
        .await;
    library
        .check(
            "seats",
            "tickets.id[gte]=1&fields=hall,seat",
            r#"[{"hall":"A","seat":1},{"hall":"B","seat":1}]"#,
        )
        .await;
}

#[tokio::test]
async fn a_walk_keeps_its_filters_on_relations() {
    let library = Each::library().await;
    for served in library.each() {
        let first = "author.name=Ann&limit=2&fields=id";
        let (_, next) = served.page("posts", first, Dialect::Plain).await;
        let next = next.unwrap();
        let rows = served
            .rows("posts", &format!("{first}&cursor={next}"))
            .await;
        assert_eq!(rows, "[{\"id\":5}]");
        let other = format!("author.name=Bob&limit=2&cursor={next}");
        let error = served.list("posts", &other, Dialect::Plain).unwrap_err();
        assert_eq!(error.code, QueryErrorCode::Cursor);
    }
}

/// The tables with as many rows as their statistics say.
fn large(served: &Served, tables: &[&str]) -> Resources {
    let catalog = served.database.catalog();
    let tables = catalog.tables().iter().map(|table| {
        let mut table = table.clone();
        let is_large = tables.contains(&table.name.as_str());
        table.approximate_rows = Some(if is_large { 100_001 } else { 10 });
        table
    });
    let catalog =
        paceline_data::catalog::Catalog::new(catalog.dialect(), tables.collect(), Vec::new());
    let names = ["people", "posts", "companies", "tags", "post_tags"];
    Resources::build(&catalog, names.map(ResourceSpec::new).to_vec()).unwrap()
}

#[tokio::test]
async fn large_related_tables_are_searched_by_their_indexes_only() {
    let library = Each::library().await;
    for served in library.each() {
        // MySQL makes an index of each foreign key, those of editors and companies too.
        let is_indexed = matches!(
            served.database.catalog().dialect(),
            paceline_data::SqlDialect::MySql(_)
        );
        let unindexed = |refused: &'static str| (!is_indexed).then_some(refused);
        let check = |tables: &[&str], path: &str, query: &str, refused: Option<&str>| {
            let served = Served {
                database: served.database.clone(),
                resources: large(served, tables),
            };
            let error = served.list(path, query, Dialect::Plain).err();
            let found = error.map(|error| {
                assert_eq!(error.code, QueryErrorCode::Unindexed);
                error.parameter
            });
            assert_eq!(found.as_deref(), refused, "{tables:?} {path}?{query}");
        };
        check(&[], "posts", "author.name=Ann", None);
        check(&["people"], "posts", "author.name=Ann", Some("author.name"));
        check(&["people"], "posts", "author.id=1", None);
        check(&["people"], "posts", "author.boss_id=1", None);
        check(
            &["people"],
            "posts",
            "author.boss_id[ne]=1",
            Some("author.boss_id"),
        );
        // The relation begins at an index, so the posts are found from the people.
        check(&["posts"], "posts", "author.name=Ann", None);
        check(
            &["posts"],
            "posts",
            "editor.name=Ann",
            unindexed("editor.name"),
        );
        check(
            &["posts"],
            "people",
            "posts_by_author.title=x",
            Some("posts_by_author.title"),
        );
        check(&["posts"], "people", "posts_by_author.id=3", None);
        check(&["people"], "people", "posts_by_author.title=x", None);
        check(&["posts"], "people", "fields=posts_by_author.id", None);
        check(
            &["posts"],
            "people",
            "fields=posts_by_editor.id",
            unindexed("fields"),
        );
        check(
            &["posts"],
            "tags",
            "include=posts.editor.posts_by_editor",
            unindexed("include"),
        );
        check(&["posts"], "posts", "sort=author.name", Some("sort"));
        check(&["posts"], "posts", "sort=author.name&author_id=1", None);
        check(
            &["posts"],
            "posts",
            "sort=author.name&author.name=Ann",
            None,
        );
        check(&["people"], "posts", "sort=author.name", None);
        check(
            &["posts", "people"],
            "posts",
            "author.company.name=Acme",
            unindexed("author.company.name"),
        );
    }
}
