//! The forms rows are sent in, and which one a client wants (RFC 9110, section 12.5.1).

use axum::extract::FromRequestParts;
use http::header::{ACCEPT, HeaderMap, HeaderValue, VARY};
use http::request::Parts;

use crate::problem::Problem;

/// How rows are written. As an axum extractor it is the one the request's `Accept` likes best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Format {
    /// `application/json`: one array.
    #[default]
    JsonArray,
    /// `application/x-ndjson`: a JSON text a line.
    Ndjson,
    /// `text/csv` (RFC 4180), with a header line.
    Csv,
}

const ALL: [(Format, &str, &str); 3] = [
    (Format::JsonArray, "application/json", "json"),
    (Format::Ndjson, "application/x-ndjson", "ndjson"),
    (Format::Csv, "text/csv", "csv"),
];

impl Format {
    /// The form with the highest weight in `Accept`, of several the first of JSON, NDJSON, CSV.
    ///
    /// # Errors
    /// 406 that lists what there is.
    pub fn from_headers(headers: &HeaderMap) -> Result<Self, Problem> {
        let lines = headers.get_all(ACCEPT);
        let lines: Vec<&str> = lines.iter().filter_map(|line| line.to_str().ok()).collect();
        if lines.is_empty() {
            return Ok(Self::default());
        }
        let mut best = (0, None);
        for (format, media, _) in ALL {
            let weight = weight(media, &lines);
            if weight > best.0 {
                best = (weight, Some(format));
            }
        }
        best.1.ok_or_else(|| {
            let names = ALL.map(|(_, media, _)| media).join(", ");
            Problem::not_acceptable(format!(
                "The rows can be sent as {names}. Name one of them in Accept."
            ))
            .with_header(VARY, HeaderValue::from_static("accept"))
        })
    }

    /// The value of `Content-Type`.
    pub fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::JsonArray => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8",
        })
    }

    /// How files of it end: `json`, `ndjson`, `csv`.
    pub fn extension(self) -> &'static str {
        let known = ALL.into_iter().find(|(format, ..)| *format == self);
        known.map_or("json", |(_, _, extension)| extension)
    }
}

/// The weight in thousandths that the most specific range gives to a media type.
fn weight(media: &str, lines: &[&str]) -> u16 {
    let kind = media.split('/').next().unwrap_or_default();
    let mut found = (0, 0);
    for range in lines.iter().flat_map(|line| line.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let specificity = match name.as_str() {
            "*/*" => 1,
            name if name.strip_suffix("/*") == Some(kind) => 2,
            name if name == media => 3,
            _ => continue,
        };
        if specificity > found.0 {
            let weight = parts.find_map(|part| part.strip_prefix(['q', 'Q'])?.strip_prefix('='));
            found = (specificity, weight.map_or(1_000, thousandths));
        }
    }
    found.1
}

/// `0.25` is 250; what is no weight counts as 0.
fn thousandths(text: &str) -> u16 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    match (whole, format!("{fraction:0<3}").parse()) {
        ("0", Ok(thousandths)) if digits => thousandths,
        ("1", Ok(0)) if digits => 1_000,
        _ => 0,
    }
}

impl<S: Sync> FromRequestParts<S> for Format {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::from_headers(&parts.headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weightiest_form_wins_and_the_most_specific_range_counts() {
        let check = |accept: &[&'static str], expected: Result<Format, u16>| {
            let mut headers = HeaderMap::new();
            for line in accept {
                headers.append(ACCEPT, HeaderValue::from_static(line));
            }
            let found = Format::from_headers(&headers).map_err(|problem| problem.status().as_u16());
            assert_eq!(found, expected, "{accept:?}");
        };
        check(&[], Ok(Format::JsonArray));
        check(&["*/*"], Ok(Format::JsonArray));
        check(&["text/*"], Ok(Format::Csv));
        check(&["TEXT/CSV, application/json;q=0.9"], Ok(Format::Csv));
        check(
            &["application/json;q=0.1", "application/x-ndjson ; q=0.2"],
            Ok(Format::Ndjson),
        );
        check(&["*/*;q=0.5, application/json;q=0"], Ok(Format::Ndjson));
        check(&["text/csv;q=1.000, */*;q=0.999"], Ok(Format::Csv));
        check(&["text/csv;q=1.001"], Err(406));
        check(&["text/csv;q=0.1234"], Err(406));
        check(&["text/csv;q=-1"], Err(406));
        check(&["image/png"], Err(406));
        check(&[""], Err(406));
    }
}
