//! Where the pages around a page are (RFC 8288).

use std::fmt::Write as _;

use http::HeaderValue;

use super::request::{Meaning, PageRequest, Spelling, known};
use crate::parameters::{decode, pairs};

/// The longest `Link` field, in bytes: proxies keep all fields of an answer in 4 or 8 KiB. Links that do not
/// fit are left out, `next` last.
pub const LONGEST_LINK: usize = 4 * 1024;

/// The pages around a page, each as far as there is one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Around<'a> {
    pub(super) prev: Option<u64>,
    pub(super) next: Option<Next<'a>>,
    pub(super) last: Option<u64>,
}

/// The next page.
#[derive(Debug, Clone, Copy)]
pub(super) enum Next<'a> {
    Page(u64),
    After(&'a str),
}

impl PageRequest {
    /// The `Link` field for these pages; `None` when not one link fits.
    pub(super) fn link(&self, around: Around<'_>) -> Option<HeaderValue> {
        let kept = self.kept();
        let page =
            |relation, number: u64| self.one(&kept, Meaning::Number, &number.to_string(), relation);
        let next = around.next.map(|next| match next {
            Next::Page(number) => page("next", number),
            Next::After(cursor) => self.one(&kept, Meaning::After, cursor, "next"),
        });
        let first = Some(if self.numbered {
            page("first", 1)
        } else {
            self.start(&kept)
        });
        let prev = around.prev.map(|number| page("prev", number));
        let last = around.last.map(|number| page("last", number));
        // The most useful are taken first; they are written in the usual order.
        let mut room = LONGEST_LINK;
        let mut fitting = |link: Option<String>| {
            let link = link.filter(|link| link.len() + ", ".len() <= room)?;
            room -= link.len() + ", ".len();
            Some(link)
        };
        let (next, prev) = (fitting(next), fitting(prev));
        let (first, last) = (fitting(first), fitting(last));
        let written: Vec<String> = [first, prev, next, last].into_iter().flatten().collect();
        if written.is_empty() {
            return None;
        }
        HeaderValue::try_from(written.join(", ")).ok()
    }

    /// The first page of a list without page numbers.
    fn start(&self, kept: &str) -> String {
        let mut link = String::from("<");
        put(&mut link, &self.path);
        link.push('?');
        link.push_str(kept.trim_end_matches('&'));
        link.push_str(">; rel=\"first\"");
        link
    }

    fn one(&self, kept: &str, meaning: Meaning, value: &str, relation: &str) -> String {
        let name = match (meaning, self.spelling) {
            (Meaning::Number, Spelling::Plain) => "page",
            (_, Spelling::Plain) => "cursor",
            (Meaning::Number, Spelling::Family) => "page%5Bnumber%5D",
            (_, Spelling::Family) => "page%5Bafter%5D",
        };
        let mut link = String::from("<");
        put(&mut link, &self.path);
        link.push('?');
        link.push_str(kept);
        // Writing to a String cannot fail.
        let _ = write!(link, "{name}=");
        put(&mut link, value);
        let _ = write!(link, ">; rel=\"{relation}\"");
        link
    }

    /// The other parameters as they were sent, each with `&` behind it. The page size is one of them.
    fn kept(&self) -> String {
        let mut kept = String::new();
        for pair in pairs(&self.query) {
            let name = pair.split('=').next().unwrap_or_default();
            let meaning = decode(name)
                .and_then(|name| known(&name))
                .map(|known| known.1);
            if matches!(meaning, None | Some(Meaning::Size)) {
                put(&mut kept, pair);
                kept.push('&');
            }
        }
        kept
    }
}

/// Appends a piece of a URI. What is legal there stays as it was sent; what is not, and might end the link or
/// the field, is percent-encoded.
fn put(out: &mut String, piece: &str) {
    for byte in piece.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}
