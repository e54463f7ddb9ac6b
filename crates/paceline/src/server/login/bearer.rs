//! Who a request says it is: `Authorization: Bearer TOKEN` (RFC 6750).

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use paceline_http::problem::Problem;

use super::token::{Claims, TokenKey};

/// The claims of a request's token; 401 without one, or with one that is not good at `now`.
pub(crate) fn bearer(
    headers: &HeaderMap,
    key: &TokenKey,
    now: Timestamp,
) -> Result<Claims, Problem> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let token = match (values.next().map(HeaderValue::to_str), values.next()) {
        (Some(Ok(text)), None) => text
            .split_once(' ')
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim()),
        _ => None,
    };
    let Some(token) = token else {
        return Err(Problem::unauthorized(
            HeaderValue::from_static("Bearer"),
            "Log in and send the token as `Authorization: Bearer TOKEN`.",
        ));
    };
    key.check(token, now).map_err(|_| {
        Problem::unauthorized(
            HeaderValue::from_static("Bearer error=\"invalid_token\""),
            "The token is not valid, or its time is over. Log in again.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn only_one_good_bearer_token_names_a_subject() {
        let key = TokenKey::new(&[1; 32], Duration::from_mins(1));
        let now = Timestamp::from_second(1000).unwrap();
        let good = key.issue("7", now);
        let check = |values: &[&str], expected: Result<&str, u16>| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
            }
            let found = bearer(&headers, &key, now).map(|claims| claims.sub);
            let found = found.map_err(|problem| problem.status().as_u16());
            assert_eq!(found, expected.map(str::to_owned), "{values:?}");
        };
        let good = format!("Bearer {good}");
        check(&[&good], Ok("7"));
        check(&[&good.replace("Bearer", "bearer")], Ok("7"));
        check(&[], Err(401));
        check(&["Basic eDp5"], Err(401));
        check(&["Bearer"], Err(401));
        check(&["Bearer x.y.z"], Err(401));
        check(&[&good, &good], Err(401));
    }
}
