//! Which media type an answer has (RFC 9110 section 12.5.1).

use http::header::{ACCEPT, VARY};
use http::{HeaderMap, HeaderValue};
use paceline_data::query::Dialect;
use paceline_http::problem::Problem;

/// The media types rows are answered in.
pub(super) const DIALECTS: [(&str, Dialect); 2] = [
    ("application/json", Dialect::Plain),
    ("application/vnd.api+json", Dialect::JsonApi),
];

/// The media type of a dialect.
pub(super) fn content_type(dialect: Dialect) -> HeaderValue {
    let (media, _) = DIALECTS[dialect as usize];
    HeaderValue::from_static(media)
}

/// The first of `offers` (in the server's order) with the highest weight; 406 when none is acceptable.
pub(super) fn negotiate<T: Copy>(
    headers: &HeaderMap,
    offers: &[(&'static str, T)],
) -> Result<T, Problem> {
    let mut lines = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .peekable();
    if lines.peek().is_none() {
        return Ok(offers[0].1);
    }
    let ranges: Vec<&str> = lines
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .collect();
    let mut best: Option<(u16, T)> = None;
    for (media, offer) in offers {
        let weight = weight_of(media, &ranges);
        if weight > 0 && best.is_none_or(|(highest, _)| weight > highest) {
            best = Some((weight, *offer));
        }
    }
    best.map(|(_, offer)| offer).ok_or_else(|| {
        let names: Vec<&str> = offers.iter().map(|(media, _)| *media).collect();
        Problem::not_acceptable(format!(
            "This can be answered as {}. Name one of them in Accept.",
            names.join(", ")
        ))
        .with_header(VARY, HeaderValue::from_static("accept"))
    })
}

/// The weight in thousandths that the most specific matching range gives.
fn weight_of(media: &str, ranges: &[&str]) -> u16 {
    let kind = media.split('/').next().unwrap_or_default();
    let mut found = (0, 0);
    for range in ranges {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let specificity = match name.as_str() {
            "*/*" => 1,
            name if name.strip_suffix("/*") == Some(kind) => 2,
            name if name == media => 3,
            _ => continue,
        };
        let weight =
            parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        if specificity > found.0 {
            found = (specificity, weight.map_or(1000, thousandths));
        }
    }
    found.1
}

/// `0.25` is 250; what is no weight counts as 0.
fn thousandths(text: &str) -> u16 {
    match text.parse::<f32>() {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is between 0 and 1000"
        )]
        Ok(weight) if (0.0..=1.0).contains(&weight) => (weight * 1000.0).round() as u16,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn check(accept: &[&'static str], expected: Result<u8, u16>) {
        let mut headers = HeaderMap::new();
        for line in accept {
            headers.append(ACCEPT, HeaderValue::from_static(line));
        }
        let offers = [("application/json", 1), ("text/csv", 2)];
        let found = negotiate(&headers, &offers).map_err(|problem| problem.status().as_u16());
        assert_eq!(found, expected, "{accept:?}");
    }

    #[test]
    fn the_weightiest_offer_wins_and_the_most_specific_range_counts() {
        check(&[], Ok(1));
        check(&["*/*"], Ok(1));
        check(&["text/*"], Ok(2));
        check(&["text/csv, application/json;q=0.9"], Ok(2));
        check(&["application/json;q=0.1", "text/csv;q=0.2"], Ok(2));
        check(&["*/*;q=0.5, application/json;q=0"], Ok(2));
        check(&["TEXT/CSV"], Ok(2));
        check(&["image/png"], Err(406));
        check(&["application/json;q=0"], Err(406));
    }
}
