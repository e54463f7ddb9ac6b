//! `Link` of a page (RFC 8288): first, prev, next, last, with the other parameters kept.

use http::HeaderValue;
use paceline_data::encode::PageInfo;

/// A longer header is left out: the body says the same.
const LONGEST: usize = 8 * 1024;

/// The header for a page of `path?query`; `None` when it would be too long.
pub(super) fn link_header(path: &str, query: &str, info: &PageInfo) -> Option<HeaderValue> {
    let kept: Vec<&str> = query
        .split('&')
        .filter(|pair| !pair.is_empty() && !is_position(pair))
        .collect();
    let mut header = String::new();
    let mut add = |position: Option<String>, relation: &str| {
        let Some(position) = position else { return };
        let parameters: Vec<&str> = kept.iter().copied().chain([position.as_str()]).collect();
        if !header.is_empty() {
            header.push_str(", ");
        }
        for part in [
            "<",
            path,
            "?",
            &parameters.join("&"),
            ">; rel=\"",
            relation,
            "\"",
        ] {
            header.push_str(part);
        }
    };
    let page = |number: u64| format!("page={number}");
    add(Some(page(1)), "first");
    if let Some(current) = info.page {
        let last = info.pages();
        let previous = current.saturating_sub(1).min(last.unwrap_or(u64::MAX));
        add((previous > 0).then(|| page(previous)), "prev");
        add(info.has_more.then(|| page(current + 1)), "next");
        add(last.map(page), "last");
    } else {
        add(
            info.next.as_ref().map(|cursor| format!("cursor={cursor}")),
            "next",
        );
    }
    if header.len() > LONGEST {
        None
    } else {
        HeaderValue::try_from(header).ok()
    }
}

/// Whether a parameter says where the page is. Spellings that are percent-encoded count too.
fn is_position(pair: &str) -> bool {
    let name = pair
        .split('=')
        .next()
        .unwrap_or_default()
        .replace("%5B", "[")
        .replace("%5b", "[");
    let name = name.replace("%5D", "]").replace("%5d", "]");
    matches!(
        name.as_str(),
        "page" | "cursor" | "page[number]" | "page[cursor]"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(page: Option<u64>, total: Option<u64>, next: Option<&str>) -> PageInfo {
        PageInfo {
            page,
            limit: 20,
            total,
            next: next.map(str::to_owned),
            has_more: next.is_some(),
        }
    }

    fn check(query: &str, info: &PageInfo, expected: &[&str]) {
        let header = link_header("/api/posts", query, info).unwrap();
        let found: Vec<&str> = header.to_str().unwrap().split(", ").collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn neighbours_keep_the_other_parameters() {
        check(
            "page=2&user_id=7&sort=-id",
            &info(Some(2), Some(60), Some("c")),
            &[
                "</api/posts?user_id=7&sort=-id&page=1>; rel=\"first\"",
                "</api/posts?user_id=7&sort=-id&page=1>; rel=\"prev\"",
                "</api/posts?user_id=7&sort=-id&page=3>; rel=\"next\"",
                "</api/posts?user_id=7&sort=-id&page=3>; rel=\"last\"",
            ],
        );
        check(
            "",
            &info(Some(1), None, None),
            &["</api/posts?page=1>; rel=\"first\""],
        );
        check(
            "page%5Bnumber%5D=9",
            &info(Some(9), Some(5), None),
            &[
                "</api/posts?page=1>; rel=\"first\"",
                "</api/posts?page=1>; rel=\"prev\"",
                "</api/posts?page=1>; rel=\"last\"",
            ],
        );
    }

    #[test]
    fn a_page_by_cursor_links_to_the_next_cursor_and_drops_the_old() {
        check(
            "cursor=old&limit=5",
            &info(None, None, Some("new")),
            &[
                "</api/posts?limit=5&page=1>; rel=\"first\"",
                "</api/posts?limit=5&cursor=new>; rel=\"next\"",
            ],
        );
    }
}
