//! Pages of a list: which one a client asks for, and the answer that says where it is.
//!
//! | parameter | also | meaning | default |
//! |---|---|---|---|
//! | `page=2` | `page[number]` | the number of the page, from 1 | 1 |
//! | `limit=50` | `page[size]` | items a page, at most [`PageLimits::most`] (100) | 20 |
//! | `cursor=…` | `page[after]`, `page[cursor]` | continue behind a position; not with `page` | |
//!
//! Nothing malformed is corrected: zero, a sign, text, a limit above the maximum, a parameter twice or in two
//! spellings is a 400 that names it. A page so far that its offset would not be exact is refused too, so
//! `page * limit` never overflows.
//!
//! ```
//! use axum::{Router, routing::get};
//! use paceline_http::page::{Page, PageRequest};
//! use paceline_http::problem::Problem;
//!
//! async fn numbers(request: PageRequest) -> Page<Vec<u64>> {
//!     let items = (0..1_000).skip(request.offset() as usize).take(request.fetch()).collect();
//!     request.answer(items).with_total(1_000)
//! }
//! # let app: Router = Router::new().route("/numbers", get(numbers));
//! ```
//!
//! Page numbers cost more the further they reach, and skip or repeat items when others are added or deleted
//! between two requests. A cursor does neither: it says after which sort keys to go on. [`CursorKey`] makes it
//! a signed text, which [`PageRequest::cursor`] gives back:
//!
//! ```
//! use paceline_http::page::{CursorKey, Page, PageRequest};
//! use paceline_http::problem::Problem;
//!
//! fn ids(request: PageRequest, key: &CursorKey) -> Result<Page<Vec<u64>>, Problem> {
//!     let request = request.without_numbers()?;
//!     let after: u64 = request.cursor(key, "/ids")?.unwrap_or(0);
//!     let ids: Vec<u64> = (after + 1..=1_000).take(request.fetch()).collect();
//!     Ok(request.answer(ids).with_cursor(|last| key.sign("/ids", last))?)
//! }
//! # let uri = http::Uri::from_static("/ids?limit=2");
//! # let request = PageRequest::from_uri(&uri, Default::default()).unwrap();
//! # let page = ids(request, &CursorKey::new([7; 32])).unwrap();
//! # assert_eq!(page.items(), &[1, 2]);
//! # assert!(page.link().unwrap().to_str().unwrap().contains("cursor="));
//! ```
//!
//! Not for lists that are read whole: those are [streams](crate::stream).

mod answer;
mod cursor;
mod limits;
mod links;
mod request;

pub use self::answer::{Page, Pagination};
pub use self::cursor::{
    CursorKey, InvalidCursor, LONGEST_CURSOR, SHORTEST_SECRET, ShortSecret, UnsignableCursor,
};
pub use self::limits::PageLimits;
pub use self::links::LONGEST_LINK;
pub use self::request::{FURTHEST_OFFSET, PageRequest, Position};

#[cfg(test)]
mod tests;
