//! Orders by related rows.

use paceline_data::query::Dialect;
use serde_json::Value;

use super::Each;

#[tokio::test]
async fn rows_are_sorted_by_the_row_they_refer_to() {
    let library = Each::library().await;
    library
        .check(
            "posts",
            "sort=-author.company.name,-id&author.company.name[null]=false&fields=id,author.name",
            r#"[{"id":5,"author":{"name":"Ann"}},{"id":3,"author":{"name":"Bob"}},{"id":2,"author":{"name":"Ann"}},{"id":1,"author":{"name":"Ann"}}]"#,
        )
        .await;
    // What is sorted by need not be shown.
    library
        .check(
            "posts",
            "sort=author.name&author.name[null]=false&fields=id",
            r#"[{"id":1},{"id":2},{"id":5},{"id":3}]"#,
        )
        .await;
    library
        .check(
            "people",
            "sort=-profiles.about,id&profiles.person_id[gt]=0&profiles.about[null]=false&fields=id",
            r#"[{"id":1}]"#,
        )
        .await;
}

/// Every order is walked to its end in pages of each size: each row comes once, where it stands in the whole list.
#[tokio::test]
async fn walks_by_related_rows_see_each_row_once() {
    let library = Each::library().await;
    for sort in [
        "author.name",
        "-author.name",
        "author.name,-id",
        "-author.name,id",
        "author.company.name,-author.name,title",
        "score,-author.name",
        "-editor.name,author.name",
        "-editor.company.name,score,-id",
    ] {
        for served in library.each() {
            for fields in ["id", "id,author.name", "id,tags.name,author(posts.id)"] {
                let path = format!("sort={sort}&fields={fields}");
                let whole = served.rows("posts", &path).await;
                let whole: Vec<Value> = serde_json::from_str(&whole).unwrap();
                assert_eq!(whole.len(), 6);
                for limit in 1..=4 {
                    let mut walked = Vec::new();
                    let mut query = format!("{path}&limit={limit}");
                    loop {
                        let (page, next) = served.page("posts", &query, Dialect::Plain).await;
                        let page: Value = serde_json::from_str(&page).unwrap();
                        walked.extend(page["data"].as_array().unwrap().clone());
                        assert!(walked.len() <= 6, "{query}: {walked:?}");
                        let Some(next) = next else { break };
                        query = format!("{path}&limit={limit}&cursor={next}");
                    }
                    assert_eq!(walked, whole, "{sort} {limit}");
                }
            }
        }
    }
}

#[tokio::test]
async fn rows_without_the_related_row_have_the_place_of_null() {
    let library = Each::library().await;
    let first = async |served: &super::Served, sort: &str| {
        let rows = served
            .rows(
                "posts",
                &format!("sort={sort}&fields=id,author.name&limit=1"),
            )
            .await;
        let rows: Vec<Value> = serde_json::from_str(&rows).unwrap();
        rows[0]["author"]["name"].clone()
    };
    let [sqlite, postgres, mariadb] = library.each();
    for served in [sqlite, mariadb] {
        assert_eq!(first(served, "author.name").await, Value::Null);
        assert_eq!(first(served, "-author.name").await, "Bob");
    }
    assert_eq!(first(postgres, "author.name").await, "Ann");
    assert_eq!(first(postgres, "-author.name").await, Value::Null);
}
