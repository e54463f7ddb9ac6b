//! Requests for pages, and the answers.

use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Extension, Router};
use http::{Request, Uri};
use http_body_util::BodyExt;
use proptest::prelude::*;
use tower::ServiceExt;

use super::*;
use crate::problem::{Problem, Source};

fn read(query: &str) -> Result<PageRequest, Problem> {
    let uri: Uri = format!("/p?{query}").parse().unwrap();
    PageRequest::from_uri(&uri, PageLimits::default())
}

#[track_caller]
fn refused(problem: &Problem) -> (&'static str, &str) {
    assert_eq!(problem.status(), 400);
    match problem.source_of_error() {
        Some(Source::Parameter(name)) => (problem.code(), name),
        _ => (problem.code(), ""),
    }
}

#[test]
fn pages_limits_and_cursors_are_read_in_every_spelling() {
    let check = |query: &str, number: Option<u64>, limit: u32, offset: u64| {
        let request = read(query).unwrap();
        assert_eq!(
            request.number().map(std::num::NonZero::get),
            number,
            "{query}"
        );
        assert_eq!(request.limit().get(), limit, "{query}");
        assert_eq!(request.offset(), offset, "{query}");
        assert_eq!(request.fetch(), limit as usize + 1, "{query}");
    };
    check("", Some(1), 20, 0);
    check("page=3", Some(3), 20, 40);
    check("page=007&limit=100", Some(7), 100, 600);
    check("page[number]=2&page[size]=5", Some(2), 5, 5);
    check("page%5Bnumber%5D=2&limit=5&title=x", Some(2), 5, 5);
    check("%70age=2", Some(2), 20, 20);
    for cursor in ["cursor", "page[after]", "page[cursor]"] {
        let request = read(&format!("{cursor}=abc&limit=5")).unwrap();
        assert_eq!(request.position(), &Position::After("abc".to_owned()));
        assert_eq!((request.number(), request.offset()), (None, 0));
    }
}

/// Trap 12: zero, negative, huge, textual, empty, repeated.
#[test]
fn trap_12_every_malformed_value_is_a_400_that_names_the_parameter() {
    let check = |query: &str, code: &str, parameter: &str| {
        let problem = read(query).unwrap_err();
        assert_eq!(refused(&problem), (code, parameter), "{query}");
    };
    for value in [
        "0",
        "-1",
        "+1",
        "1.5",
        "abc",
        "",
        "%20",
        "1e9",
        "99999999999999999999",
        "٣",
    ] {
        check(&format!("page={value}"), "invalid-page", "page");
        check(
            &format!("page[number]={value}"),
            "invalid-page",
            "page[number]",
        );
        check(&format!("limit={value}"), "invalid-limit", "limit");
        check(
            &format!("page[size]={value}"),
            "invalid-limit",
            "page[size]",
        );
    }
    check("limit=101", "invalid-limit", "limit");
    check("limit=4294967297", "invalid-limit", "limit");
    check("page=1&page=2", "repeated-parameter", "page");
    check(
        "page=1&page[number]=1",
        "repeated-parameter",
        "page[number]",
    );
    check("limit=1&page[size]=1", "repeated-parameter", "page[size]");
    check(
        "cursor=a&page[after]=a",
        "repeated-parameter",
        "page[after]",
    );
    check("page=1&cursor=a", "conflicting-parameters", "page");
    check("page=%zz", "invalid-encoding", "page");
    check(&"x".repeat(8_193), "query-too-large", "");
}

#[test]
fn trap_12_an_offset_never_overflows() {
    for page in [u64::MAX, u64::MAX / 2, (1 << 53) + 2] {
        let problem = read(&format!("page={page}&limit=100")).unwrap_err();
        assert_eq!(refused(&problem), ("invalid-page", "page"), "{page}");
    }
    let last = FURTHEST_OFFSET / 100 + 1;
    assert_eq!(
        read(&format!("page={last}&limit=100")).unwrap().offset(),
        FURTHEST_OFFSET / 100 * 100
    );
    assert!(read(&format!("page={}&limit=100", last + 1)).is_err());
}

#[track_caller]
fn link(query: &str, more: bool, total: Option<u64>, next: Option<&str>) -> String {
    let request = read(query).unwrap();
    let items = vec![0; request.fetch() - usize::from(!more)];
    let mut page = request.answer(items).with_next(next.map(str::to_owned));
    if let Some(total) = total {
        page = page.with_total(total);
    }
    page.link().unwrap().to_str().unwrap().to_owned()
}

/// Trap 15: links keep the other parameters as they were sent, once encoded, and drop the old position.
#[test]
fn trap_15_links_keep_every_other_parameter() {
    assert_eq!(
        link(
            "page=2&user_id=7&q=a%20b%26c+d&sort=-id",
            true,
            Some(60),
            None
        ),
        "</p?user_id=7&q=a%20b%26c+d&sort=-id&page=1>; rel=\"first\", \
         </p?user_id=7&q=a%20b%26c+d&sort=-id&page=1>; rel=\"prev\", \
         </p?user_id=7&q=a%20b%26c+d&sort=-id&page=3>; rel=\"next\", \
         </p?user_id=7&q=a%20b%26c+d&sort=-id&page=3>; rel=\"last\""
    );
    assert_eq!(link("", false, None, None), "</p?page=1>; rel=\"first\"");
    assert_eq!(
        link("page%5Bnumber%5D=9&page[size]=5", false, Some(100), None),
        "</p?page[size]=5&page%5Bnumber%5D=1>; rel=\"first\", \
         </p?page[size]=5&page%5Bnumber%5D=8>; rel=\"prev\", \
         </p?page[size]=5&page%5Bnumber%5D=10>; rel=\"next\", \
         </p?page[size]=5&page%5Bnumber%5D=20>; rel=\"last\""
    );
    assert_eq!(
        link("cursor=old&limit=5&x", false, None, Some("new")),
        "</p?limit=5&x&page=1>; rel=\"first\", </p?limit=5&x&cursor=new>; rel=\"next\""
    );
    assert_eq!(
        link("page[after]=old", false, None, Some("new")),
        "</p?page%5Bnumber%5D=1>; rel=\"first\", </p?page%5Bafter%5D=new>; rel=\"next\""
    );
}

#[test]
fn trap_15_links_begin_with_what_a_proxy_cuts_off() {
    for prefix in ["/shop", "/shop/"] {
        let request = read("limit=5").unwrap().behind(prefix);
        let link = request.answer(vec![0; 6]).link().unwrap();
        assert_eq!(
            link,
            "</shop/p?limit=5&page=1>; rel=\"first\", </shop/p?limit=5&page=2>; rel=\"next\""
        );
    }
    let request = read("").unwrap().behind("");
    assert_eq!(
        request.answer(vec![0]).link().unwrap(),
        "</p?page=1>; rel=\"first\""
    );
}

#[test]
fn trap_15_a_link_leads_on_from_a_request_with_as_many_parameters_as_may_be() {
    let most = (0..64).fold(String::new(), |query, n| format!("{query}f{n}=1&"));
    let link = link(&most, true, None, None);
    let (_, target) = link.rsplit_once('<').unwrap();
    let (target, _) = target.split_once('>').unwrap();
    let query = target.strip_prefix("/p?").unwrap();
    assert!(query.ends_with("&f63=1&page=2"), "{query}");
    assert_eq!(read(query).unwrap().offset(), 20);
}

#[test]
fn trap_15_a_link_cannot_be_forged_and_its_field_is_bounded() {
    let forged = link("q=|%3E;%20rel=%22evil%22%0d%0a`", false, None, None);
    assert_eq!(
        forged,
        "</p?q=%7C%3E;%20rel=%22evil%22%0d%0a%60&page=1>; rel=\"first\""
    );
    let long = format!("page=2&q={}", "x".repeat(3_000));
    let one = link(&long, true, Some(60), None);
    assert!(
        one.len() <= LONGEST_LINK && one.ends_with("rel=\"next\""),
        "{one}"
    );
    let request = read(&format!("q={}", "x".repeat(8_000))).unwrap();
    assert_eq!(request.answer(vec![0]).link(), None);
}

#[test]
fn trap_13_a_page_past_the_end_is_empty_and_leads_back() {
    let request = read("page=9").unwrap();
    let page = request.answer(Vec::<u8>::new()).with_total(30);
    assert!(!page.has_next());
    let link = page.link().unwrap();
    assert!(
        link.to_str().unwrap().contains("page=2>; rel=\"prev\""),
        "{link:?}"
    );
    assert_eq!(page.pagination().pages, Some(2));
    let empty = read("").unwrap().answer(Vec::<u8>::new()).with_total(0);
    assert_eq!(empty.pagination().pages, Some(1));
}

/// What the cursors of a test hold.
type Value = (f64, Option<u8>, String);

#[test]
fn trap_14_a_cursor_is_good_for_its_key_and_list_only() {
    let key = CursorKey::derive(b"0123456789abcdef").unwrap();
    let text = key
        .sign("/posts?sort=id", &(1.1_f64, None::<u8>, "ü"))
        .unwrap();
    let request = read(&format!("page[after]={text}")).unwrap();
    let found: Option<Value> = request.cursor(&key, "/posts?sort=id").unwrap();
    assert_eq!(found, Some((1.1, None, "ü".to_owned())));

    let other = request
        .cursor::<Value>(&key, "/posts?sort=-id")
        .unwrap_err();
    assert_eq!(refused(&other), ("invalid-cursor", "page[after]"));
    let foreign = CursorKey::derive(b"0123456789abcdeg").unwrap();
    let foreign = request
        .cursor::<Value>(&foreign, "/posts?sort=id")
        .unwrap_err();
    assert_eq!(refused(&foreign), ("invalid-cursor", "page[after]"));
    assert_ne!(foreign.detail(), other.detail());
    // Of an earlier version of the application.
    assert!(request.cursor::<u8>(&key, "/posts?sort=id").is_err());
    assert_eq!(
        read("page=2").unwrap().cursor::<u8>(&key, "").unwrap(),
        None
    );
    assert!(CursorKey::derive(b"short").is_err());
    assert!(
        key.sign("", &"x".repeat(LONGEST_CURSOR))
            .unwrap_err()
            .is_too_long()
    );
    assert_eq!(format!("{key:?}"), "CursorKey(redacted)");
}

#[test]
fn a_list_without_page_numbers_refuses_one_and_links_by_cursor() {
    for name in ["page", "page[number]"] {
        let problem = read(&format!("{name}=1")).unwrap().without_numbers();
        assert_eq!(refused(&problem.unwrap_err()), ("unknown-parameter", name));
    }
    let link = |query: &str| {
        let request = read(query).unwrap().without_numbers().unwrap();
        let items = vec![0; request.fetch()];
        let page = request
            .answer(items)
            .with_cursor(|_| Ok::<_, Problem>("c".to_owned()));
        let page = page.unwrap();
        assert_eq!(page.pagination().page, None);
        page.link().unwrap().to_str().unwrap().to_owned()
    };
    assert_eq!(
        link(""),
        "</p?>; rel=\"first\", </p?cursor=c>; rel=\"next\""
    );
    assert_eq!(
        link("x=1&cursor=b&limit=2"),
        "</p?x=1&limit=2>; rel=\"first\", </p?x=1&limit=2&cursor=c>; rel=\"next\""
    );
}

/// Trap 14: changed, cut, prolonged, signed by nobody.
#[test]
fn trap_14_a_tampered_cursor_is_refused() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    let key = CursorKey::new([7; 32]);
    let text = key.sign("l", &[1, 2, 3]).unwrap();
    let open = |text: &str| key.open::<Vec<u8>>("l", text);
    assert_eq!(open(&text), Ok(vec![1, 2, 3]));
    for end in 0..text.len() {
        assert_eq!(open(&text[..end]), Err(InvalidCursor::Malformed), "{end}");
    }
    let bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        let changed = URL_SAFE_NO_PAD.encode(changed);
        assert_eq!(
            open(&changed),
            Err(InvalidCursor::Malformed),
            "byte {place}"
        );
    }
    for wrong in [
        "",
        "!",
        "AAAA",
        &format!("{text}="),
        &format!("{text}A"),
        &"A".repeat(4_000),
    ] {
        assert_eq!(open(wrong), Err(InvalidCursor::Malformed), "{wrong}");
    }
}

#[tokio::test]
async fn trap_15_the_extractor_takes_the_routes_limits_and_the_whole_path() {
    async fn list(request: PageRequest) -> Page<Vec<u8>> {
        let items = vec![0; request.fetch()];
        request.answer(items)
    }
    let inner = Router::new().route("/list", get(list));
    let app = Router::new()
        .nest("/api", inner)
        .layer(Extension(PageLimits::new(2, 3)));
    let ask = async |uri: &str| {
        let request = Request::get(uri).body(axum::body::Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        (parts, body)
    };
    let (parts, body) = ask("/api/list?x=1").await;
    assert_eq!(parts.headers["content-type"], "application/json");
    assert_eq!(
        parts.headers["link"],
        "</api/list?x=1&page=1>; rel=\"first\", </api/list?x=1&page=2>; rel=\"next\""
    );
    assert_eq!(
        body,
        serde_json::json!({
            "data": [0, 0],
            "pagination": {"page": 1, "limit": 2, "total": null, "pages": null, "next": null}
        })
    );
    let (parts, body) = ask("/api/list?limit=4").await;
    assert_eq!(
        (parts.status.as_u16(), &body["parameter"]),
        (400, &"limit".into())
    );
}

#[tokio::test]
async fn trap_13_a_walk_by_cursor_sees_each_item_once_although_others_come_and_go() {
    let key = CursorKey::new([1; 32]);
    let mut items: Vec<u32> = (0..100).map(|number| number * 10).collect();
    let (mut seen, mut query) = (Vec::new(), "limit=7".to_owned());
    for step in 0.. {
        assert!(step < 50, "the walk does not end");
        let request = read(&query).unwrap();
        let after: Option<u32> = request.cursor(&key, "/p").unwrap();
        let found = items
            .iter()
            .filter(|item| after.is_none_or(|after| **item > after));
        let found: Vec<u32> = found.copied().take(request.fetch()).collect();
        let page = request
            .answer(found)
            .with_cursor(|last| key.sign("/p", last))
            .unwrap();
        seen.extend_from_slice(page.items());
        // The item the cursor stands on is deleted, and one is added before it.
        items.retain(|item| Some(item) != page.items().last());
        items.push(1);
        items.sort_unstable();
        let Some(next) = page.pagination().next else {
            break;
        };
        query = format!("limit=7&cursor={next}");
    }
    assert_eq!(seen, (0..100).map(|number| number * 10).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_answer_that_cannot_be_serialised_is_a_500_without_its_cause() {
    let items = vec![std::collections::HashMap::from([(vec![1], 1)])];
    let response = read("").unwrap().answer(items).into_response();
    assert_eq!(response.status(), 500);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert!(!String::from_utf8_lossy(&body).contains("key"), "{body:?}");
}

proptest! {
    /// No number is lost in a cursor, the last bit of floats included.
    #[test]
    fn values_come_back_exactly(real in proptest::num::f64::NORMAL, whole: i64, text: String) {
        let key = CursorKey::new([7; 32]);
        let value = (real, whole, text);
        let signed = key.sign("l", &value).unwrap();
        prop_assert_eq!(key.open::<(f64, i64, String)>("l", &signed), Ok(value));
    }

    #[test]
    fn any_query_is_read_or_a_400(query in "[pagelimtcursor\\[\\]=&0-9%.-]{0,60}") {
        match read(&query) {
            Ok(request) => prop_assert!(request.offset() <= FURTHEST_OFFSET && request.limit().get() <= 100),
            Err(problem) => prop_assert_eq!(problem.status().as_u16(), 400),
        }
    }
}
