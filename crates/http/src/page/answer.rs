//! A page as an answer.

use std::num::{NonZeroU32, NonZeroU64};

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, HeaderValue, LINK};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::PageRequest;
use super::links::{Around, Next};
use crate::problem::Problem;

/// Items with where they are: `{"data":[…],"pagination":{…}}` and the `Link` field.
///
/// ```
/// use http::Uri;
/// use paceline_http::page::{Page, PageLimits, PageRequest};
///
/// let uri = Uri::from_static("/posts?author=7&page=2&limit=2");
/// let request = PageRequest::from_uri(&uri, PageLimits::default())?;
/// let page = request.answer(vec!["c", "d"]).with_total(5);
/// assert_eq!(
///     serde_json::to_string(&page).unwrap(),
///     r#"{"data":["c","d"],"pagination":{"page":2,"limit":2,"total":5,"pages":3,"next":null}}"#,
/// );
/// assert!(page.link().unwrap().to_str().unwrap().contains(r#"</posts?author=7&limit=2&page=3>; rel="next""#));
/// # Ok::<(), paceline_http::problem::Problem>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a page does nothing until it is returned"]
pub struct Page<T> {
    items: T,
    request: PageRequest,
    length: usize,
    surplus: bool,
    total: Option<u64>,
    next: Option<String>,
}

/// The `pagination` member, as clients read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pagination {
    /// The number of the page; `None` behind a cursor.
    pub page: Option<NonZeroU64>,
    /// Items a page.
    pub limit: NonZeroU32,
    /// Items of all pages, if they were counted.
    pub total: Option<u64>,
    /// Pages, if the items were counted. An empty list has one.
    pub pages: Option<u64>,
    /// The cursor of the next page, if the list has cursors and a next page.
    pub next: Option<String>,
}

impl PageRequest {
    /// The page with these items. Of more than [`limit`](Self::limit) those behind are dropped, and there is a
    /// next page: read [`fetch`](Self::fetch) of them.
    pub fn answer<T>(self, mut items: Vec<T>) -> Page<Vec<T>> {
        let limit = self.fetch() - 1;
        let surplus = items.len() > limit;
        items.truncate(limit);
        Page {
            length: items.len(),
            items,
            request: self,
            surplus,
            total: None,
            next: None,
        }
    }
}

impl<T> Page<Vec<T>> {
    /// Has the cursor of the next page made of this page's last item, if there are more items than it has.
    ///
    /// # Errors
    /// What `sign` returns.
    pub fn with_cursor<E>(self, sign: impl FnOnce(&T) -> Result<String, E>) -> Result<Self, E> {
        let next = match self.items.last() {
            Some(last) if self.surplus => Some(sign(last)?),
            _ => None,
        };
        Ok(self.with_next(next))
    }
}

impl<T> Page<T> {
    /// Says how many items there are on all pages.
    pub fn with_total(mut self, total: u64) -> Self {
        self.total = Some(total);
        self
    }

    /// Says with which [cursor](super::CursorKey) the next page is asked for. Links to the next page use it
    /// where this page was reached by a cursor.
    pub fn with_next(mut self, cursor: Option<String>) -> Self {
        self.next = cursor;
        self
    }

    /// Replaces the items by what is shown of them, which must be as many:
    /// `page.map(|items| fields.of(items))`.
    pub fn map<U>(self, show: impl FnOnce(T) -> U) -> Page<U> {
        Page {
            items: show(self.items),
            request: self.request,
            length: self.length,
            surplus: self.surplus,
            total: self.total,
            next: self.next,
        }
    }

    /// The items.
    pub fn items(&self) -> &T {
        &self.items
    }

    /// Whether there is a page behind this one: more items were given than it has, items are left by the
    /// total, or there is a cursor.
    pub fn has_next(&self) -> bool {
        let end = self.request.offset().saturating_add(self.length as u64);
        let counted =
            self.request.number().is_some() && self.total.is_some_and(|total| end < total);
        self.surplus || counted && self.length > 0 || self.next.is_some()
    }

    /// Where the page is.
    pub fn pagination(&self) -> Pagination {
        let limit = self.request.limit();
        Pagination {
            page: self.request.number(),
            limit,
            total: self.total,
            pages: self.pages(),
            next: self.next.clone(),
        }
    }

    /// The `Link` field (RFC 8288): `first`, `prev`, `next`, `last`, as far as they are known, with all other
    /// parameters of the request. At most [`LONGEST_LINK`](super::LONGEST_LINK) long.
    pub fn link(&self) -> Option<HeaderValue> {
        let pages = self.pages();
        let around = match self.request.number() {
            Some(number) => {
                let before = (number.get() - 1).min(pages.unwrap_or(u64::MAX));
                Around {
                    prev: (before > 0).then_some(before),
                    next: self
                        .has_next()
                        .then(|| Next::Page(number.get().saturating_add(1))),
                    last: pages,
                }
            }
            None => Around {
                next: self.next.as_deref().map(Next::After),
                ..Around::default()
            },
        };
        self.request.link(around)
    }

    fn pages(&self) -> Option<u64> {
        let limit = u64::from(self.request.limit().get());
        self.total.map(|total| total.div_ceil(limit).max(1))
    }
}

impl<T: Serialize> Serialize for Page<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("data", &self.items)?;
        map.serialize_entry("pagination", &self.pagination())?;
        map.end()
    }
}

impl<T: Serialize> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        let body = match serde_json::to_vec(&self) {
            Ok(body) => body,
            Err(error) => return Problem::internal(error).into_response(),
        };
        let json = HeaderValue::from_static("application/json");
        let mut response = ([(CONTENT_TYPE, json)], body).into_response();
        if let Some(link) = self.link() {
            response.headers_mut().insert(LINK, link);
        }
        response
    }
}
