use proptest::prelude::*;
use rusqlite::Connection;

use super::*;
use crate::catalog::sqlite::read;
use crate::resource::{RelationSpec, ResourceSpec, Resources};
use crate::statement::Value;

const SCHEMA: &str = "
    CREATE TABLE companies(id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT, email TEXT, password_hash TEXT,
        company_id INTEGER REFERENCES companies, page INTEGER);
    CREATE TABLE posts(id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users, title TEXT, score REAL,
        live BOOLEAN, created_at DATETIME, data BLOB);
    CREATE TABLE nodes(id INTEGER PRIMARY KEY, parent_id INTEGER REFERENCES nodes, ReportsTo INTEGER REFERENCES nodes);";

fn resources() -> Resources {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(SCHEMA).unwrap();
    let mut users = ResourceSpec::new("users");
    users.type_name = Some("user".to_owned());
    users.default_fields = Some(vec!["name".to_owned(), "id".to_owned()]);
    let mut posts = ResourceSpec::new("posts");
    posts
        .relations
        .insert("author".to_owned(), "user_id".into());
    let specs = vec![
        users,
        posts,
        ResourceSpec::new("companies"),
        ResourceSpec::new("nodes"),
    ];
    Resources::build(&read(&connection).unwrap(), specs).unwrap()
}

fn list(path: &str, query: &str) -> Result<ListQuery, QueryError> {
    let resources = resources();
    parse_list(
        &resources,
        resources.by_path(path).unwrap(),
        Dialect::Plain,
        query,
    )
}

/// A selection as `a,b,author(c),~link`.
fn show(resources: &Resources, selection: &Selection) -> String {
    let resource = resources.get(selection.resource);
    let fields = selection
        .fields
        .iter()
        .map(|field| resource.fields[*field].name.clone());
    let links = selection
        .links
        .iter()
        .map(|link| format!("~{}", resource.relations[*link].name));
    let nested = selection.nested.iter().map(|(relation, beneath)| {
        format!(
            "{}({})",
            resource.relations[*relation].name,
            show(resources, beneath)
        )
    });
    fields
        .chain(links)
        .chain(nested)
        .collect::<Vec<_>>()
        .join(",")
}

fn check_selection(dialect: Dialect, path: &str, query: &str, expected: &str) {
    let resources = resources();
    let parsed = parse_list(&resources, resources.by_path(path).unwrap(), dialect, query);
    let parsed = parsed.unwrap_or_else(|error| panic!("{query}: {error}"));
    assert_eq!(
        show(&resources, &parsed.selection),
        expected,
        "{path}?{query}"
    );
}

#[test]
fn spellings_compile_to_one_selection() {
    let check =
        |query: &str, expected: &str| check_selection(Dialect::Plain, "posts", query, expected);
    check("fields=title,id,author.name", "id,title,author(name)");
    check("fields=author(name),id,title,id", "id,title,author(name)");
    check("fields=user_id.name,id,title", "id,title,author(name)");
    check(
        "fields[posts]=id,title,author&fields[user]=name",
        "id,title,author(name)",
    );
    check(
        "fields%5Bposts%5D=id,title,author&fields%5Buser%5D=name",
        "id,title,author(name)",
    );
    check("fields=author", "author(id,name)");
    check("fields=user_id", "user_id");
    check(
        "fields=author.company.name,author.id",
        "author(id,company(name))",
    );
    check("include=author&fields[posts]=id", "id,author(id,name)");
    check("fields[posts]=", "");
    check(
        "fields[user]=name",
        "id,user_id,title,score,live,created_at,data",
    );
    let check =
        |query: &str, expected: &str| check_selection(Dialect::Plain, "users", query, expected);
    check("", "id,name");
    check("fields[user]=id,email", "id,email");
    check("fields[user]=name,company", "name,company(id,name)");
    let check =
        |query: &str, expected: &str| check_selection(Dialect::Plain, "nodes", query, expected);
    check("fields[nodes]=id,parent", "id");
    check("fields=ReportsTo", "ReportsTo");
    check("fields=ReportsTo.id", "ReportsTo(id)");
    check("fields=parent.parent.id", "parent(parent(id))");
}

#[test]
fn json_api_links_and_includes() {
    let check =
        |query: &str, expected: &str| check_selection(Dialect::JsonApi, "posts", query, expected);
    check("fields[posts]=title,author", "title,~author");
    check(
        "fields[posts]=title&include=author",
        "title,author(id,name,~company,~posts)",
    );
    check(
        "fields[posts]=title&fields[user]=&include=author",
        "title,author()",
    );
    check(
        "include=author.company&fields[posts]=id,title",
        "id,title,author(id,name,~company,~posts,company(id,name,~users))",
    );
    check(
        "include=",
        "id,user_id,title,score,live,created_at,data,~author",
    );
}

#[test]
fn paging_has_defaults_and_aliases() {
    let check = |query: &str, position: Position, limit: u32, count: Count| {
        let parsed = list("posts", query).unwrap();
        assert_eq!(
            (parsed.position, parsed.limit, parsed.count),
            (position, limit, count),
            "{query}"
        );
    };
    check("", Position::Page(1), 20, Count::Exact);
    check("page=3&limit=100", Position::Page(3), 100, Count::Exact);
    check(
        "page[number]=3&page[size]=1",
        Position::Page(3),
        1,
        Count::Exact,
    );
    check(
        "page=1000000000&count=none",
        Position::Page(1_000_000_000),
        20,
        Count::None,
    );
    check(
        "cursor=abc",
        Position::Cursor("abc".to_owned()),
        20,
        Count::None,
    );
    check(
        "page[cursor]=abc&count=exact",
        Position::Cursor("abc".to_owned()),
        20,
        Count::Exact,
    );
}

#[test]
fn filters_are_typed_and_ordered() {
    let check = |query: &str, expected: &[(&str, Operator, Value)]| {
        let resources = resources();
        let posts = resources.by_path("posts").unwrap();
        let parsed = parse_list(&resources, posts, Dialect::Plain, query).unwrap();
        let found: Vec<_> = parsed
            .filters
            .iter()
            .map(|filter| {
                (
                    posts.fields[filter.field].name.as_str(),
                    filter.operator,
                    filter.values[0].clone(),
                )
            })
            .collect();
        assert_eq!(found, expected, "{query}");
    };
    let text = |text: &str| Value::Text(text.to_owned());
    let expected = [
        ("id", Operator::Greater, Value::Integer(3)),
        ("title", Operator::Equal, text("a b")),
    ];
    check("title=a+b&id[gt]=3", &expected);
    check("filter[id][gt]=3&filter[title]=a%20b", &expected);
    check("live=true", &[("live", Operator::Equal, Value::Integer(1))]);
    check(
        "score[lte]=1.5",
        &[("score", Operator::LessOrEqual, Value::Real(1.5))],
    );
    check(
        "created_at[gte]=2026-01-01",
        &[("created_at", Operator::GreaterOrEqual, text("2026-01-01"))],
    );
    check(
        "title[like]=%25x%25",
        &[("title", Operator::Like, text("%x%"))],
    );
    check(
        "data[null]=true",
        &[("data", Operator::Null, Value::Integer(1))],
    );
    check("id[in]=1,2", &[("id", Operator::In, Value::Integer(1))]);
    check("title=", &[("title", Operator::Equal, text(""))]);
}

#[test]
fn a_reserved_name_is_filtered_in_brackets() {
    let parsed = list("users", "page=2&filter[page]=7").unwrap();
    assert_eq!(parsed.position, Position::Page(2));
    assert_eq!(parsed.filters[0].values, [Value::Integer(7)]);
}

/// Traps 12 and 16 of the HTTP reference: nothing malformed is corrected, the parameter is named.
#[test]
fn mistakes_name_their_parameter() {
    use QueryErrorCode as Code;
    let check = |query: &str, code: Code, parameter: &str| {
        let error = list("posts", query).expect_err(query);
        assert_eq!(
            (error.code, error.parameter.as_str()),
            (code, parameter),
            "{query}: {error}"
        );
    };
    for page in [
        "0",
        "-1",
        "1e20",
        "100000000000000000000",
        "9007199254740993",
        "abc",
        "",
        "1.5",
        "%201",
        "%2B1",
    ] {
        check(&format!("page={page}"), Code::Page, "page");
        check(&format!("page[number]={page}"), Code::Page, "page[number]");
    }
    for limit in ["0", "-1", "101", "abc", "", "1e2", "99999999999999999999"] {
        check(&format!("limit={limit}"), Code::Limit, "limit");
    }
    check("page=1&page=2", Code::RepeatedParameter, "page");
    check(
        "page=1&page[number]=2",
        Code::RepeatedParameter,
        "page[number]",
    );
    check("page=1&cursor=x", Code::ConflictingParameters, "page");
    check("offset=3", Code::UnknownParameter, "offset");
    check("page[offset]=3", Code::UnknownParameter, "page[offset]");
    check("titel=x", Code::UnknownParameter, "titel");
    check("filter[titel]=x", Code::UnknownParameter, "filter[titel]");
    check("title[foo]=x", Code::Filter, "title[foo]");
    check("id=abc", Code::Filter, "id");
    check("id[in]=1,x", Code::Filter, "id[in]");
    check("id[in]=", Code::Filter, "id[in]");
    check(
        &format!("id[in]={}", vec!["1"; MOST_IN_LIST + 1].join(",")),
        Code::Filter,
        "id[in]",
    );
    check("id[like]=1%25", Code::Filter, "id[like]");
    check("title[like]=a%5C", Code::Filter, "title[like]");
    check("title[null]=maybe", Code::Filter, "title[null]");
    check("data=abc", Code::Filter, "data");
    check(
        "title=x&filter[title]=y",
        Code::RepeatedParameter,
        "filter[title]",
    );
    check("sort=", Code::Sort, "sort");
    check("sort=id,", Code::Sort, "sort");
    check("sort=--id", Code::UnknownField, "sort");
    check("sort=id,-id", Code::Sort, "sort");
    check("sort=nope", Code::UnknownField, "sort");
    check("count=maybe", Code::Count, "count");
    check("fields=", Code::Fields, "fields");
    check("fields=nope", Code::UnknownField, "fields");
    check("fields=title.x", Code::UnknownField, "fields");
    check("fields=author.nope", Code::UnknownField, "fields");
    check("fields[posts]=nope", Code::UnknownField, "fields[posts]");
    check("fields[nope]=id", Code::UnknownField, "fields[nope]");
    check(
        "fields=id&fields[posts]=id",
        Code::ConflictingParameters,
        "fields[posts]",
    );
    check("include=title", Code::UnknownField, "include");
    check("a=%ff", Code::Encoding, "a");
}

#[test]
fn suggestions_name_what_was_meant() {
    let check = |query: &str, suggestion: &str| {
        let error = list("posts", query).unwrap_err();
        assert!(
            error
                .detail
                .ends_with(&format!("Did you mean {suggestion:?}?")),
            "{query}: {error}"
        );
    };
    check("titel=x", "title");
    check("filter[titel][gt]=x", "title");
    check("limt=3", "limit");
    check("fields=autor.name", "author");
    check("fields[post]=id", "posts");
    check("sort=-createdat", "created_at");
}

#[test]
fn selections_follow_relations_both_ways() {
    let check =
        |query: &str, expected: &str| check_selection(Dialect::Plain, "users", query, expected);
    check("fields=id,posts.title", "id,posts(title)");
    check("fields=id,posts(id,title)", "id,posts(id,title)");
    check("fields=posts(author(name))", "posts(author(name))");
    check(
        "fields[user]=id,posts&fields[posts]=title",
        "id,posts(title)",
    );
    check(
        "include=posts&fields[user]=id&fields[posts]=id",
        "id,posts(id)",
    );
    check_selection(
        Dialect::JsonApi,
        "companies",
        "fields=name,users.name",
        "name,~users,users(name)",
    );
}

#[test]
fn related_rows_are_bounded_before_they_are_read() {
    let nested = |limit: u32| {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(SCHEMA).unwrap();
        let mut users = ResourceSpec::new("users");
        let bound = RelationSpec {
            limit: Some(limit),
            ..RelationSpec::default()
        };
        users.relations.insert("posts".to_owned(), bound);
        let mut companies = ResourceSpec::new("companies");
        let bound = RelationSpec {
            limit: Some(200),
            ..RelationSpec::default()
        };
        companies.relations.insert("users".to_owned(), bound);
        let specs = vec![users, companies, ResourceSpec::new("posts")];
        let resources = Resources::build(&read(&connection).unwrap(), specs).unwrap();
        let companies = resources.by_path("companies").unwrap();
        let query = "fields=users.posts.id";
        parse_list(&resources, companies, Dialect::Plain, query).map(drop)
    };
    assert_eq!(nested(9_999), Ok(()));
    let error = nested(10_000).unwrap_err();
    assert_eq!(error.code, QueryErrorCode::TooMuch);
    assert_eq!(error.parameter, "fields");
    assert!(error.detail.contains("2000000"), "{error}");
}

/// Filters as `relation.field op`, sort keys as `-relation.field`.
fn conditions(path: &str, query: &str) -> Vec<String> {
    let resources = resources();
    let resource = resources.by_path(path).unwrap();
    let parsed = parse_list(&resources, resource, Dialect::Plain, query)
        .unwrap_or_else(|error| panic!("{query}: {error}"));
    let filters = parsed.filters.iter().map(|filter| {
        let name = name(&resources, resource, &filter.path, filter.field);
        format!("{name} {:?}", filter.operator)
    });
    let sort = parsed.sort.iter().map(|key| {
        let sign = if key.descending { "-" } else { "" };
        let name = name(&resources, resource, &key.path, key.field);
        format!("{sign}{name}")
    });
    filters.chain(sort).collect()
}

#[test]
fn filters_and_orders_name_fields_of_related_rows() {
    let check = |path: &str, query: &str, expected: &[&str]| {
        assert_eq!(conditions(path, query), expected, "{path}?{query}");
    };
    check("posts", "author.name=Ann", &["author.name Equal"]);
    check("posts", "user_id.name=Ann", &["author.name Equal"]);
    check(
        "posts",
        "filter[author.name][like]=A%25",
        &["author.name Like"],
    );
    check(
        "posts",
        "author.company.name[null]=true",
        &["author.company.name Null"],
    );
    check(
        "users",
        "posts.title[like]=x&name=Ann&posts.score[gt]=1",
        &["name Equal", "posts.title Like", "posts.score Greater"],
    );
    check(
        "posts",
        "sort=-author.name,author.company.id,id",
        &["-author.name", "author.company.id", "id"],
    );
}

#[test]
fn mistakes_in_related_names_say_what_was_meant() {
    let check = |path: &str, query: &str, code: QueryErrorCode, detail: &str| {
        let error = list(path, query).unwrap_err();
        assert_eq!(error.code, code, "{query}: {error}");
        assert!(error.detail.contains(detail), "{query}: {error}");
    };
    check(
        "posts",
        "author.nam=x",
        QueryErrorCode::UnknownParameter,
        "no field \"nam\" here. Did you mean \"name\"?",
    );
    check(
        "posts",
        "sort=-author.nam",
        QueryErrorCode::UnknownField,
        "Did you mean \"name\"?",
    );
    check(
        "users",
        "sort=posts.title",
        QueryErrorCode::Sort,
        "\"posts\" leads to several rows",
    );
    check(
        "posts",
        "sort=author.name,-author.name",
        QueryErrorCode::Sort,
        "there twice",
    );
    check(
        "posts",
        "author.name=x&filter[author.name]=y",
        QueryErrorCode::RepeatedParameter,
        "already",
    );
    check(
        "posts",
        "author.id=seven",
        QueryErrorCode::Filter,
        "a whole number",
    );
    // Further than selections go.
    check(
        "nodes",
        "parent.parent.parent.parent.id=1",
        QueryErrorCode::UnknownParameter,
        "no field",
    );
}

#[test]
fn hidden_is_unknown() {
    let check = |template: &str| {
        let hidden = list("users", &template.replace('?', "password_hash")).unwrap_err();
        let unknown = list("users", &template.replace('?', "password_hush")).unwrap_err();
        let swap = |text: &str| text.replace("password_hush", "password_hash");
        assert_eq!(hidden.code, unknown.code, "{template}");
        assert_eq!(hidden.parameter, swap(&unknown.parameter), "{template}");
        assert_eq!(hidden.detail, swap(&unknown.detail), "{template}");
    };
    for template in [
        "?=x",
        "?[gt]=x",
        "filter[?]=x",
        "filter[?][foo]=x",
        "sort=?",
        "sort=-?",
        "fields=?",
        "fields=id,?",
    ] {
        check(template);
    }
    for template in [
        "fields[user]=?",
        "fields=?.x",
        "include=?",
        "fields=company.?",
        "?.x=1",
        "posts.author.?=x",
        "sort=?.x",
        "fields=posts.author.?",
    ] {
        check(template);
    }
}

#[test]
fn one_row_takes_only_a_selection() {
    let resources = resources();
    let users = resources.by_path("users").unwrap();
    let one = |query: &str| parse_one(&resources, users, Dialect::Plain, query);
    assert!(one("fields[user]=id").unwrap().enveloped);
    assert!(!one("fields=id").unwrap().enveloped);
    for query in ["page=1", "name=x", "sort=id"] {
        assert_eq!(
            one(query).unwrap_err().code,
            QueryErrorCode::UnknownParameter,
            "{query}"
        );
    }
}

#[test]
fn exports_take_filters_but_no_pages() {
    let resources = resources();
    let users = resources.by_path("users").unwrap();
    let export = |query: &str| parse_export(&resources, users, query);
    assert_eq!(export("name=x&filter[page]=2").unwrap().filters.len(), 2);
    for query in ["page=1", "limit=1", "sort=id", "cursor=x", "count=none"] {
        assert_eq!(
            export(query).unwrap_err().code,
            QueryErrorCode::UnknownParameter,
            "{query}"
        );
    }
}

proptest! {
    #[test]
    fn arbitrary_queries_never_panic(query in ".{0,80}", pieces in proptest::collection::vec(
        prop_oneof!["[a-z]{1,8}", "(page|limit|cursor|sort|count|fields|include|filter|id|title)", "[\\[\\]=&,.()%+-]{1,3}", "[0-9]{1,22}"], 0..12)) {
        let _ = list("posts", &query);
        let _ = list("posts", &pieces.concat());
    }
}
