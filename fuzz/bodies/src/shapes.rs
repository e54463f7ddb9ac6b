//! Query strings of the extractors for handlers, and the field selections of both crates side by side.

use std::fmt::Write as _;
use std::sync::LazyLock;

use http::Uri;
use paceline_http::fields::{Fields, Schema, Selectable};
use paceline_http::page::{CursorKey, FURTHEST_OFFSET, PageLimits, PageRequest};

struct User;
struct Post;

impl Selectable for User {
    fn schema() -> &'static Schema {
        static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
            Schema::new("user")
                .with_fields(["id", "name"])
                .with_object::<[Post]>("posts")
        });
        &SCHEMA
    }
}

impl Selectable for Post {
    fn schema() -> &'static Schema {
        static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
            Schema::new("post")
                .with_fields(["id", "title"])
                .with_object::<User>("author")
                .with_map("labels")
        });
        &SCHEMA
    }
}

/// A query of sparse fieldsets: what is accepted has one canonical form, in which it reads as itself; what is
/// not is a 400.
///
/// # Panics
/// When that does not hold.
pub fn fieldsets(data: &[u8]) {
    let Ok(query) = std::str::from_utf8(data) else {
        return;
    };
    match Fields::<Post>::from_query(query) {
        Err(problem) => assert_eq!(problem.status(), 400, "{query}"),
        Ok(fields) if fields.is_enveloped() || fields.selection().is_empty() => {}
        Ok(fields) => {
            let canonical = percent_encoded(&fields.selection().to_string());
            let again = Fields::<Post>::from_query(&format!("fields={canonical}"));
            let again = again.unwrap_or_else(|problem| panic!("{canonical} of {query}: {problem}"));
            assert_eq!(again.selection(), fields.selection(), "{query}");
        }
    }
}

fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        write!(encoded, "%{byte:02X}").expect("writing to a String cannot fail");
        encoded
    })
}

/// A query of paging: the offset is exact and bounded, the limit within its bounds, and the links of the
/// answer are one header line whose targets are read as the same page again.
///
/// # Panics
/// When that does not hold.
pub fn page(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(uri) = format!("/list?{text}").parse::<Uri>() else {
        return;
    };
    let limits = PageLimits::default();
    let request = match PageRequest::from_uri(&uri, limits) {
        Ok(request) => request,
        Err(problem) => {
            assert_eq!(problem.status(), 400, "{text}");
            return;
        }
    };
    assert!(request.offset() <= FURTHEST_OFFSET, "{text}");
    assert!(request.limit() <= limits.most(), "{text}");
    let limit = request.limit();
    let items = vec![(); request.fetch()];
    let link = request.answer(items).link();
    let Some(link) = link.as_ref().and_then(|link| link.to_str().ok()) else {
        return;
    };
    for target in link.split(", <").map(|link| link.trim_start_matches('<')) {
        let (target, relation) = target
            .split_once(">; rel=")
            .expect("a link and its relation");
        assert!(relation.len() < 10, "{relation} of {text}");
        let target: Uri = target
            .parse()
            .unwrap_or_else(|error| panic!("{target}: {error}"));
        let again = PageRequest::from_uri(&target, limits);
        let again = again.unwrap_or_else(|problem| panic!("{target} of {text}: {problem}"));
        assert_eq!(again.limit(), limit, "{text}");
    }
}

/// A cursor of handlers: what is signed reads back, in its list only, and text that nobody signed is refused.
///
/// # Panics
/// When that does not hold.
pub fn page_cursor(data: &[u8]) {
    let key = CursorKey::new([7; 32]);
    if let Ok(text) = std::str::from_utf8(data) {
        assert!(
            key.open::<Vec<u8>>("list", text).is_err(),
            "nobody signed this"
        );
    }
    let Ok(text) = key.sign("list", data) else {
        return;
    };
    assert_eq!(key.open::<Vec<u8>>("list", &text).as_deref(), Ok(data));
    assert!(
        key.open::<Vec<u8>>("other", &text).is_err(),
        "bound to its list"
    );
    let place = data.iter().fold(0_usize, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(usize::from(*byte))
    });
    let mut changed = text.clone().into_bytes();
    let place = place % changed.len();
    changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
    let changed = String::from_utf8(changed).expect("still letters");
    assert!(key.open::<Vec<u8>>("list", &changed).is_err(), "{changed}");
}
