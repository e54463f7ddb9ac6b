//! Relations in JSON:API documents.

use std::collections::HashSet;

use paceline_data::query::Dialect;
use serde_json::Value;

use super::Each;

async fn document(library: &Each, path: &str, query: &str) -> Value {
    let mut pages = Vec::new();
    for served in library.each() {
        let (page, _) = served.page(path, query, Dialect::JsonApi).await;
        let mut page: Value = serde_json::from_str(&page).unwrap();
        page["links"].take();
        page["meta"].take();
        pages.push(page);
    }
    assert_eq!(pages[0], pages[1], "{path}?{query}");
    check_whole(&pages[0]);
    pages.remove(0)
}

/// Each object is there once, and what is included is linked from an object of the document.
fn check_whole(document: &Value) {
    let data = &document["data"];
    let primary: Vec<&Value> = data
        .as_array()
        .map_or_else(|| vec![data], |all| all.iter().collect());
    let none = Vec::new();
    let included = document["included"].as_array().unwrap_or(&none);
    let name = |object: &Value| (object["type"].to_string(), object["id"].to_string());
    let mut names = HashSet::new();
    for object in primary.iter().copied().chain(included) {
        assert!(names.insert(name(object)), "twice: {object}");
    }
    let mut linked = HashSet::new();
    for object in primary.iter().copied().chain(included) {
        for relationship in object["relationships"].as_object().into_iter().flatten() {
            let (_, relationship) = relationship;
            match relationship.get("data") {
                Some(Value::Array(all)) => linked.extend(all.iter().map(&name)),
                Some(Value::Object(_)) => {
                    linked.insert(name(&relationship["data"]));
                }
                Some(_) => {}
                None => assert!(
                    relationship["links"]["related"].is_string(),
                    "{relationship}"
                ),
            }
        }
    }
    for object in included {
        assert!(linked.contains(&name(object)), "not linked: {object}");
    }
}

#[tokio::test]
async fn included_lists_are_linked_and_the_others_have_an_address() {
    let library = Each::library().await;
    let document = document(
        &library,
        "people",
        "include=posts&fields[posts]=title&page[size]=2",
    )
    .await;
    let ann = &document["data"][0]["relationships"];
    assert_eq!(ann["posts"]["data"].as_array().unwrap().len(), 2);
    assert_eq!(
        ann["posts"]["data"][1],
        serde_json::json!({"type": "posts", "id": "2"})
    );
    assert_eq!(ann["posts"]["links"]["related"], "/api/posts?author_id=1");
    assert_eq!(
        ann["posts"]["links"]["next"],
        "/api/posts?author_id=1&page%5Bnumber%5D=2&page%5Bsize%5D=2"
    );
    assert_eq!(
        ann["posts_by_editor"]["links"]["related"],
        "/api/posts?editor_id=1"
    );
    assert!(ann["posts_by_editor"].get("data").is_none());
    assert_eq!(
        document["data"][1]["relationships"]["posts"]["links"].get("next"),
        None
    );
    assert_eq!(
        document["included"],
        serde_json::json!([
            {"type": "posts", "id": "1", "attributes": {"title": "One"}},
            {"type": "posts", "id": "2", "attributes": {"title": "Two"}},
            {"type": "posts", "id": "3", "attributes": {"title": "Three"}},
        ])
    );
}

#[tokio::test]
async fn documents_are_compound_without_anything_twice() {
    let library = Each::library().await;
    for (path, query) in [
        ("people", "include=posts,boss,people_by_boss"),
        (
            "people",
            "include=posts.tags,posts.author.posts&fields[posts]=title,author,tags",
        ),
        ("posts", "include=author,editor,tags.posts"),
        (
            "posts",
            "include=author.posts,editor&sort=-author.name&author_id[null]=false&author.name[null]=false",
        ),
        ("tags", "include=posts.author.posts"),
        ("companies", "include=people.people_by_boss"),
        (
            "posts",
            "filter[author.name]=Ann&sort=author.name,-id&include=author",
        ),
        ("people", "include=profiles"),
        ("posts", "fields=id,author.name,tags.colour"),
    ] {
        document(&library, path, query).await;
    }
    let one = library
        .one("people", "1", "include=posts.tags", Dialect::JsonApi)
        .await;
    let one: Value = serde_json::from_str(&one).unwrap();
    check_whole(&one);
    assert_eq!(one["included"].as_array().unwrap().len(), 4, "{one}");
}

#[tokio::test]
async fn a_row_of_the_page_is_not_included_again() {
    let library = Each::library().await;
    let document = document(&library, "people", "include=boss&fields[person]=name,boss").await;
    assert_eq!(document["included"], serde_json::json!([]));
}
