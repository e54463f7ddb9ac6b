//! Which page a client asks for.

use std::num::{NonZeroU32, NonZeroU64};

use axum::extract::{FromRequestParts, OriginalUri};
use http::StatusCode;
use http::Uri;
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::{CursorKey, InvalidCursor, PageLimits};
use crate::parameters::{Parameter, cut, parameters, repeated};
use crate::problem::{Problem, code};

/// The most items that may be skipped: 2^53, above which numbers are no longer exact in JSON readers.
pub const FURTHEST_OFFSET: u64 = 1 << 53;

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Position {
    /// At the start of the page of this number.
    Page(NonZeroU64),
    /// Behind what this cursor stands for. Not verified yet: see [`PageRequest::cursor`].
    After(String),
}

/// The page a request asks for: an axum extractor, and by [`from_uri`](Self::from_uri) for anything else.
///
/// It reads `page`, `limit` and `cursor` in each of their spellings; parameters of other names are not
/// looked at. [`PageLimits`] are those in the request's extensions, else the default ones.
#[derive(Debug, Clone)]
pub struct PageRequest {
    position: Position,
    limit: NonZeroU32,
    /// The parameter that said the position, as it was spelled; `None` when none did.
    named: Option<&'static str>,
    /// Whether the list has page numbers.
    pub(super) numbered: bool,
    pub(super) spelling: Spelling,
    pub(super) path: String,
    pub(super) query: String,
}

/// Which names the links around a page use: those the client used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// `page`, `cursor`.
    Plain,
    /// `page[number]`, `page[after]`.
    Family,
}

/// What a parameter is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Number,
    Size,
    After,
}

/// Every name and what it means.
const NAMES: [(&str, Meaning, Spelling); 7] = [
    ("page", Meaning::Number, Spelling::Plain),
    ("limit", Meaning::Size, Spelling::Plain),
    ("cursor", Meaning::After, Spelling::Plain),
    ("page[number]", Meaning::Number, Spelling::Family),
    ("page[size]", Meaning::Size, Spelling::Family),
    ("page[after]", Meaning::After, Spelling::Family),
    ("page[cursor]", Meaning::After, Spelling::Family),
];

impl PageRequest {
    /// Reads the query of `uri`, whose path and query the links of the answer repeat.
    ///
    /// # Errors
    /// 400 that names the parameter: no whole number from 1 on (`invalid-page`, `invalid-limit`), a limit
    /// above the maximum or a page beyond [`FURTHEST_OFFSET`] (the same codes), the same thing said twice
    /// (`repeated-parameter`), or both a page and a cursor (`conflicting-parameters`).
    pub fn from_uri(uri: &Uri, limits: PageLimits) -> Result<Self, Problem> {
        let query = uri.query().unwrap_or_default();
        let mut asked = Asked::default();
        for parameter in parameters(query, |name| known(name).is_some())? {
            asked.take(&parameter, limits)?;
        }
        let limit = asked
            .limit
            .map_or(limits.default_limit(), |(_, limit)| limit);
        let spelling = asked.spelling();
        let (position, named) = asked.position(limit)?;
        Ok(Self {
            position,
            limit,
            named,
            numbered: true,
            spelling,
            path: uri.path().to_owned(),
            query: query.to_owned(),
        })
    }

    /// For lists that are read by cursor only: refuses a page number, and links to no page by its number.
    ///
    /// # Errors
    /// 400 `unknown-parameter` where the request has one.
    pub fn without_numbers(mut self) -> Result<Self, Problem> {
        if let (Position::Page(_), Some(name)) = (&self.position, self.named) {
            let detail = "This list has no page numbers. Begin without it and follow `next`.";
            return Err(mistake(code::UNKNOWN_PARAMETER, name, detail));
        }
        self.numbered = false;
        Ok(self)
    }

    /// For a service behind a proxy that cuts `prefix` (such as `/shop`) off the path: the links begin with it.
    #[must_use]
    pub fn behind(mut self, prefix: &str) -> Self {
        self.path.insert_str(0, prefix.trim_end_matches('/'));
        self
    }

    /// Where the page begins.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// The number of the page; `None` behind a cursor and where there are
    /// [no numbers](Self::without_numbers).
    pub fn number(&self) -> Option<NonZeroU64> {
        match self.position {
            Position::Page(number) => self.numbered.then_some(number),
            Position::After(_) => None,
        }
    }

    /// How many items the page has at most.
    pub fn limit(&self) -> NonZeroU32 {
        self.limit
    }

    /// How many items come before the page, at most [`FURTHEST_OFFSET`]; 0 behind a cursor.
    pub fn offset(&self) -> u64 {
        let before = self.number().map_or(0, |number| number.get() - 1);
        before.saturating_mul(u64::from(self.limit.get()))
    }

    /// How many items to read: one more than the page has, so that the answer knows whether there is a next
    /// page without counting.
    pub fn fetch(&self) -> usize {
        usize::try_from(self.limit.get())
            .unwrap_or(usize::MAX)
            .saturating_add(1)
    }

    /// What the request's cursor stands for; `None` when it has none.
    ///
    /// `list` names what the cursor belongs to: everything that decides which items there are and in which
    /// order (the path, filters, sort). Give the same to [`CursorKey::sign`].
    ///
    /// # Errors
    /// 400 `invalid-cursor` when it was not signed with this key, or is of another list.
    pub fn cursor<T: DeserializeOwned>(
        &self,
        key: &CursorKey,
        list: &str,
    ) -> Result<Option<T>, Problem> {
        let Position::After(text) = &self.position else {
            return Ok(None);
        };
        let refused = |error: InvalidCursor| {
            let name = self.named.unwrap_or("cursor");
            mistake(code::INVALID_CURSOR, name, error.to_string())
        };
        key.open(list, text).map(Some).map_err(refused)
    }
}

/// The known spelling of a parameter, and what it means.
pub(super) fn known(name: &str) -> Option<(&'static str, Meaning, Spelling)> {
    NAMES.into_iter().find(|(known, ..)| *known == name)
}

/// What was asked, each with the name it came under.
#[derive(Default)]
struct Asked {
    number: Option<(&'static str, NonZeroU64)>,
    limit: Option<(&'static str, NonZeroU32)>,
    after: Option<(&'static str, String)>,
    family: bool,
}

impl Asked {
    fn take(&mut self, parameter: &Parameter<'_>, limits: PageLimits) -> Result<(), Problem> {
        let Some((name, meaning, spelling)) = known(&parameter.name) else {
            return Ok(());
        };
        self.family |= spelling == Spelling::Family;
        let value = &parameter.value;
        match meaning {
            Meaning::Number => set(&mut self.number, name, number(name, value)?),
            Meaning::Size => set(&mut self.limit, name, limit(name, value, limits)?),
            Meaning::After => set(&mut self.after, name, value.clone()),
        }
    }

    fn spelling(&self) -> Spelling {
        if self.family {
            Spelling::Family
        } else {
            Spelling::Plain
        }
    }

    fn position(self, limit: NonZeroU32) -> Result<(Position, Option<&'static str>), Problem> {
        match (self.number, self.after) {
            (Some((name, _)), Some(_)) => Err(mistake(
                code::CONFLICTING_PARAMETERS,
                name,
                "Send either a page number or a cursor, not both.",
            )),
            (None, Some((name, cursor))) => Ok((Position::After(cursor), Some(name))),
            (Some((name, number)), None) => {
                let offset = (number.get() - 1).checked_mul(u64::from(limit.get()));
                if offset.is_some_and(|offset| offset <= FURTHEST_OFFSET) {
                    Ok((Position::Page(number), Some(name)))
                } else {
                    let detail =
                        "The page number is too large. Follow `next` to read far into a list.";
                    Err(mistake(code::INVALID_PAGE, name, detail))
                }
            }
            (None, None) => Ok((Position::Page(NonZeroU64::MIN), None)),
        }
    }
}

/// Two spellings of one parameter are a repetition too.
fn set<T>(
    slot: &mut Option<(&'static str, T)>,
    name: &'static str,
    value: T,
) -> Result<(), Problem> {
    if let Some((earlier, _)) = slot {
        let detail = format!("{earlier} says the same already. Send one of them.");
        return Err(repeated(name, detail));
    }
    *slot = Some((name, value));
    Ok(())
}

fn number(name: &str, text: &str) -> Result<NonZeroU64, Problem> {
    positive(text).ok_or_else(|| {
        let detail = format!(
            "Expected a page number: a whole number from 1 on, not {:?}.",
            cut(text)
        );
        mistake(code::INVALID_PAGE, name, detail)
    })
}

fn limit(name: &str, text: &str, limits: PageLimits) -> Result<NonZeroU32, Problem> {
    let most = limits.most();
    positive(text)
        .and_then(|limit| NonZeroU32::try_from(limit).ok())
        .filter(|limit| *limit <= most)
        .ok_or_else(|| {
            let detail = format!(
                "Expected a whole number from 1 to {most}, not {:?}.",
                cut(text)
            );
            mistake(code::INVALID_LIMIT, name, detail)
        })
}

/// Decimal digits only: no sign, no space.
fn positive(text: &str) -> Option<NonZeroU64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

fn mistake(
    code: &'static str,
    parameter: &str,
    detail: impl Into<std::borrow::Cow<'static, str>>,
) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, code)
        .with_detail(detail)
        .with_parameter(parameter)
}

impl<S: Sync> FromRequestParts<S> for PageRequest {
    type Rejection = Problem;

    /// The links need the whole path, also in a nested router, so it is the original one that counts.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let limits = parts.extensions.get::<PageLimits>().copied();
        let original = parts.extensions.get::<OriginalUri>();
        let uri = original.map_or(&parts.uri, |OriginalUri(uri)| uri);
        Self::from_uri(uri, limits.unwrap_or_default())
    }
}
