//! Where the first, previous, next and last page are: URLs that keep the other parameters.

use super::page::PageInfo;
use crate::query::Dialect;

/// The addresses around a page, relative to the host; percent-encoded as the request's were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbours {
    /// The first page.
    pub first: String,
    /// The page before; none on the first page, and none when a cursor led here.
    pub prev: Option<String>,
    /// The page after, if there is one.
    pub next: Option<String>,
    /// The last page, if the rows were counted.
    pub last: Option<String>,
}

impl Neighbours {
    /// The neighbours of the page that `path?query` asks for. What said where it is (`page`, `cursor` in
    /// any spelling) is replaced.
    pub fn of(path: &str, query: &str, info: &PageInfo, dialect: Dialect) -> Self {
        let (number, cursor) = match dialect {
            Dialect::Plain => ("page", "cursor"),
            Dialect::JsonApi => ("page%5Bnumber%5D", "page%5Bcursor%5D"),
        };
        let kept: Vec<&str> = query
            .split('&')
            .filter(|pair| !pair.is_empty() && !is_position(pair))
            .collect();
        let with = |name: &str, value: &str| {
            let position = format!("{name}={value}");
            let pairs: Vec<&str> = kept.iter().copied().chain([position.as_str()]).collect();
            format!("{path}?{}", pairs.join("&"))
        };
        let page = |page: u64| with(number, &page.to_string());
        let pages = info.pages();
        match info.page {
            Some(current) => {
                let before = current.saturating_sub(1).min(pages.unwrap_or(u64::MAX));
                Self {
                    first: page(1),
                    prev: (before > 0).then(|| page(before)),
                    next: info.has_more.then(|| page(current + 1)),
                    last: pages.map(page),
                }
            }
            None => Self {
                first: page(1),
                prev: None,
                next: info.next.as_ref().map(|next| with(cursor, next)),
                last: None,
            },
        }
    }
}

/// Whether a parameter says where the page is. Spellings that are percent-encoded count too.
fn is_position(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default();
    let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
    matches!(
        name.as_ref(),
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

    fn check(query: &str, dialect: Dialect, info: &PageInfo, expected: [Option<&str>; 4]) {
        let found = Neighbours::of("/p", query, info, dialect);
        let found = [Some(found.first), found.prev, found.next, found.last];
        assert_eq!(
            found.map(|url| url.map(|url| url.trim_start_matches("/p?").to_owned())),
            expected.map(|url| url.map(str::to_owned)),
            "{query}"
        );
    }

    #[test]
    fn neighbours_keep_the_other_parameters() {
        let (plain, api) = (Dialect::Plain, Dialect::JsonApi);
        check(
            "page=2&user_id=7&sort=-id",
            plain,
            &info(Some(2), Some(60), Some("c")),
            [
                Some("user_id=7&sort=-id&page=1"),
                Some("user_id=7&sort=-id&page=1"),
                Some("user_id=7&sort=-id&page=3"),
                Some("user_id=7&sort=-id&page=3"),
            ],
        );
        check(
            "",
            plain,
            &info(Some(1), None, None),
            [Some("page=1"), None, None, None],
        );
        check(
            "page%5Bnumber%5D=9&page[size]=5",
            api,
            &info(Some(9), Some(100), None),
            [
                Some("page[size]=5&page%5Bnumber%5D=1"),
                Some("page[size]=5&page%5Bnumber%5D=5"),
                None,
                Some("page[size]=5&page%5Bnumber%5D=5"),
            ],
        );
        check(
            "cursor=old&limit=5",
            plain,
            &info(None, None, Some("new")),
            [
                Some("limit=5&page=1"),
                None,
                Some("limit=5&cursor=new"),
                None,
            ],
        );
    }
}
