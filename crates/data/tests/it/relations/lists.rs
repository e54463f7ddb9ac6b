//! Lists of related rows in answers.

use paceline_data::encode::Layout;
use paceline_data::query::Dialect;

use super::{Each, Served};

#[tokio::test]
async fn the_rows_that_refer_to_a_row_are_an_array() {
    let library = Each::library().await;
    library
        .check(
            "people",
            "fields=name,posts_by_editor.title",
            r#"[{"name":"Ann","posts_by_editor":[{"title":"Three"},{"title":"Five"}]},{"name":"Bob","posts_by_editor":[{"title":"One"}]},{"name":"Cid","posts_by_editor":[{"title":"Six"}]},{"name":null,"posts_by_editor":[]},{"name":"Eve","posts_by_editor":[]}]"#,
        )
        .await;
    let one = library
        .one("people", "2", "fields=id,posts(id,title)", Dialect::Plain)
        .await;
    assert_eq!(one, r#"{"id":2,"posts":[{"id":3,"title":"Three"}]}"#);
    // A table that refers to itself, both ways.
    library
        .check(
            "people",
            "fields=name,people_by_boss(name,people_by_boss.id),boss.name&limit=2",
            r#"[{"name":"Ann","boss":null,"people_by_boss":[{"name":"Bob","people_by_boss":[{"id":4}]},{"name":"Cid","people_by_boss":[]}]},{"name":"Bob","boss":{"name":"Ann"},"people_by_boss":[{"name":null,"people_by_boss":[]}]}]"#,
        )
        .await;
    // One row where the key that refers is unique.
    library
        .check(
            "people",
            "fields=id,profiles.about&limit=3",
            r#"[{"id":1,"profiles":{"about":"first"}},{"id":2,"profiles":null},{"id":3,"profiles":{"about":null}}]"#,
        )
        .await;
    // A key of two columns.
    library
        .check(
            "seats",
            "fields=hall,seat,tickets.id",
            r#"[{"hall":"A","seat":1,"tickets":[{"id":1},{"id":2}]},{"hall":"A","seat":2,"tickets":[]},{"hall":"B","seat":1,"tickets":[{"id":3}]}]"#,
        )
        .await;
}

#[tokio::test]
async fn a_junction_relates_its_sides_and_is_there_itself() {
    let library = Each::library().await;
    library
        .check(
            "posts",
            "fields=id,tags.name,post_tags.tag&limit=2",
            r#"[{"id":1,"post_tags":[{"tag":"blue"},{"tag":"red"}],"tags":[{"name":"blue"},{"name":"red"}]},{"id":2,"post_tags":[{"tag":"red"}],"tags":[{"name":"red"}]}]"#,
        )
        .await;
}

#[tokio::test]
async fn levels_lie_within_each_other_and_mix_directions() {
    let library = Each::library().await;
    library
        .check(
            "companies",
            "fields=name,people(name,posts_by_editor(title,author.name,tags.name))&limit=1",
            r#"[{"name":"Acme","people":[{"name":"Ann","posts_by_editor":[{"title":"Three","author":{"name":"Bob"},"tags":[{"name":"a,b&c"}]},{"title":"Five","author":{"name":"Ann"},"tags":[{"name":"blue"}]}]},{"name":"Bob","posts_by_editor":[{"title":"One","author":{"name":"Ann"},"tags":[{"name":"blue"},{"name":"red"}]}]}]}]"#,
        )
        .await;
    // Beneath a row that is joined.
    library
        .check(
            "posts",
            "fields=id,author(name,people_by_boss.name)&limit=4&sort=-id",
            r#"[{"id":6,"author":{"name":null,"people_by_boss":[]}},{"id":5,"author":{"name":"Ann","people_by_boss":[{"name":"Bob"},{"name":"Cid"}]}},{"id":4,"author":null},{"id":3,"author":{"name":"Bob","people_by_boss":[{"name":null}]}}]"#,
        )
        .await;
}

#[tokio::test]
async fn what_is_cut_off_says_where_the_rest_is() {
    let library = Each::library().await;
    library
        .check(
            "people",
            "fields=id,posts.id&limit=2",
            r#"[{"id":1,"posts":[{"id":1},{"id":2}],"posts@next":"/api/posts?author_id=1&page=2&limit=2"},{"id":2,"posts":[{"id":3}]}]"#,
        )
        .await;
    library
        .check(
            "posts",
            "author_id=1&page=2&limit=2&fields=id",
            r#"[{"id":5}]"#,
        )
        .await;
    // Over a junction the list is filtered by the relation back.
    library
        .check(
            "tags",
            "fields=posts.id&sort=name",
            r#"[{"posts":[{"id":3}]},{"posts":[{"id":1}],"posts@next":"/api/posts?tags.name=blue&page=2&limit=1"},{"posts":[{"id":1}],"posts@next":"/api/posts?tags.name=red&page=2&limit=1"}]"#,
        )
        .await;
    library
        .check(
            "posts",
            "tags.name=blue&page=2&limit=1&fields=id",
            r#"[{"id":5}]"#,
        )
        .await;
    library
        .check("posts", "tags.name=a%2Cb%26c&fields=id", r#"[{"id":3}]"#)
        .await;
}

#[tokio::test]
async fn a_list_is_the_begin_of_the_list_it_leads_to() {
    let mut specs = super::specs();
    specs.retain(|spec| spec.name != "posts");
    let mut posts = paceline_data::resource::ResourceSpec::new("posts");
    posts.default_sort = vec!["-title".to_owned()];
    posts.sort = Some(vec!["title".to_owned()]);
    specs.push(posts);
    let library = Each::library_as(specs).await;
    library
        .check(
            "people",
            "fields=posts.title&limit=1",
            r#"[{"posts":[{"title":"Two"},{"title":"One"}],"posts@next":"/api/posts?author_id=1&page=2&limit=2"}]"#,
        )
        .await;
    library
        .check(
            "posts",
            "author_id=1&page=2&limit=2&fields=title",
            r#"[{"title":"Five"}]"#,
        )
        .await;
    // What may be sorted by is said for rows of a relation too.
    for (path, query) in [
        ("posts", "sort=author.name"),
        ("post_tags", "sort=post.score"),
    ] {
        for served in library.each() {
            let error = served.list(path, query, Dialect::Plain).unwrap_err();
            assert!(error.detail.contains("not served in this order"), "{error}");
        }
    }
    library
        .rows("post_tags", "sort=post.title,tag&fields=tag")
        .await;
}

#[tokio::test]
async fn a_hidden_key_leaves_the_rest_without_an_address_and_not_unsaid() {
    let mut specs = super::specs();
    specs.retain(|spec| spec.name != "posts");
    let mut posts = paceline_data::resource::ResourceSpec::new("posts");
    posts.hidden = vec!["author_id".to_owned()];
    specs.push(posts);
    let library = Each::library_as(specs).await;
    library
        .check(
            "people",
            "fields=posts.id&limit=2",
            r#"[{"posts":[{"id":1},{"id":2}],"posts@next":null},{"posts":[{"id":3}]}]"#,
        )
        .await;
}

#[tokio::test]
async fn every_page_of_a_walk_has_its_lists() {
    let library = Each::library().await;
    for sort in ["id", "-id", "company_id,-id", "-company_id", "name"] {
        for served in library.each() {
            let path = format!("fields=id,posts.id,people_by_boss.id&sort={sort}");
            let whole = served.rows("people", &path).await;
            let mut walked = Vec::new();
            let mut query = format!("{path}&limit=2");
            loop {
                let (page, next) = served.page("people", &query, Dialect::Plain).await;
                let page: serde_json::Value = serde_json::from_str(&page).unwrap();
                walked.extend(page["data"].as_array().unwrap().clone());
                let Some(next) = next else { break };
                query = format!("{path}&limit=2&cursor={next}");
            }
            let whole: Vec<serde_json::Value> = serde_json::from_str(&whole).unwrap();
            assert_eq!(walked, whole, "{sort}");
        }
    }
}

#[tokio::test]
async fn exports_nest_lists_and_csv_holds_them_as_text() {
    let library = Each::library().await;
    let query = "fields=id,posts.title";
    let export = async |served: &Served, layout| served.export("people", query, layout).await;
    for layout in [Layout::JsonArray, Layout::NdJson, Layout::Csv] {
        let own = export(&library.sqlite, layout).await;
        for other in [&library.postgres, &library.mariadb] {
            assert_eq!(export(other, layout).await, own);
        }
        let first = own.split(['\n']).next().unwrap_or_default();
        match layout {
            Layout::NdJson => assert_eq!(
                first,
                r#"{"id":1,"posts":[{"title":"One"},{"title":"Two"}],"posts@next":"/api/posts?author_id=1&page=2&limit=2"}"#
            ),
            Layout::Csv => assert!(
                own.starts_with(concat!(
                    "id,posts,posts@next\r\n",
                    r#"1,"[{""title"":""One""},{""title"":""Two""}]",/api/posts?author_id=1&page=2&limit=2"#,
                    "\r\n2,\"[{\"\"title\"\":\"\"Three\"\"}]\",\r\n3,[],\r\n"
                )),
                "{own}"
            ),
            Layout::JsonArray => assert!(own.ends_with(r#"{"id":5,"posts":[]}]"#), "{own}"),
        }
    }
}

#[tokio::test]
async fn a_request_is_one_statement_however_much_is_related() {
    let library = Each::library().await;
    let query = "fields=name,posts(title,tags.name,author.name),people_by_boss(name,posts.title),company(people.name)&count=none";
    for served in library.each() {
        let before = served.database.counts().statements;
        served.page("people", query, Dialect::Plain).await;
        served
            .one("people", "1", "fields=posts.tags.name", Dialect::Plain)
            .await;
        served
            .page(
                "people",
                "include=posts.tags,boss&count=none",
                Dialect::JsonApi,
            )
            .await;
        assert_eq!(served.database.counts().statements, before + 3);
    }
}

#[tokio::test]
async fn an_answer_depends_on_every_table_it_tells_of() {
    let library = Each::library().await;
    for served in library.each() {
        let plan = |query: &str| served.list("people", query, Dialect::Plain).unwrap();
        let names = |plan: &paceline_data::plan::ListPlan| {
            let catalog = served.database.catalog();
            let tables = plan
                .tables
                .iter()
                .map(|table| catalog.table(*table).name.clone());
            let resources = plan.resources.iter();
            let resources = resources.map(|id| served.resources.get(*id).name.clone());
            let counted = plan.counted_tables.iter();
            let counted = counted.map(|table| catalog.table(*table).name.clone());
            (
                tables.collect::<Vec<_>>().join(" "),
                resources.collect::<Vec<_>>().join(" "),
                counted.collect::<Vec<_>>().join(" "),
            )
        };
        let check = |query: &str, tables: &str, counted: &str| {
            let (found, resources, of_total) = names(&plan(query));
            assert_eq!(found, tables, "{query}");
            assert_eq!(resources, tables, "{query}");
            assert_eq!(of_total, counted, "{query}");
        };
        check("fields=id", "people", "people");
        check(
            "fields=posts.tags.name",
            "people posts tags post_tags",
            "people",
        );
        check(
            "fields=id&posts.tags.name=red",
            "people posts tags post_tags",
            "people posts tags post_tags",
        );
        check("fields=id&sort=company.name", "people companies", "people");
    }
}
