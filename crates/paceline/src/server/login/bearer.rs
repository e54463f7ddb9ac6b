//! Who a request says it is: `Authorization: Bearer TOKEN` (RFC 6750), the token of a login or a key.

use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use paceline_data::Principal;
use paceline_data::resource::AccessVerb;
use paceline_http::problem::Problem;

use super::api_keys::{ApiKeys, Held};
use super::token::TokenKey;

/// Who a request comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// As rows name their owners.
    pub(crate) principal: Principal,
    /// What they may do; `None` for everything.
    verbs: Option<Arc<[AccessVerb]>>,
}

impl Caller {
    /// 403 when the key is not for this; without a verb, unless it is for everything.
    pub(crate) fn check(&self, verb: Option<AccessVerb>) -> Result<(), Problem> {
        let allowed = match (&self.verbs, verb) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(verbs), Some(verb)) => verbs.contains(&verb),
        };
        if allowed {
            Ok(())
        } else {
            Err(Problem::forbidden(
                "This key is not for that: its `verbs` say what it is for.",
            ))
        }
    }
}

/// Who sent a request; 401 without a token, or with one that is not good at `now`.
pub(crate) fn bearer(
    headers: &HeaderMap,
    tokens: &TokenKey,
    keys: &ApiKeys,
    now: Timestamp,
) -> Result<Caller, Problem> {
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
    let found = if ApiKeys::is_key(token) {
        keys.find(token)
            .map(|Held { principal, verbs }| Caller { principal, verbs })
    } else {
        let claims = tokens.check(token, now).ok();
        claims.map(|claims| Caller {
            principal: Principal::new(claims.sub),
            verbs: None,
        })
    };
    found.ok_or_else(|| {
        Problem::unauthorized(
            HeaderValue::from_static("Bearer error=\"invalid_token\""),
            "The token is not valid, or its time is over. Log in again.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use std::time::Duration;

    #[test]
    fn only_one_good_bearer_token_names_a_subject() {
        let key = TokenKey::new(&[1; 32], Duration::from_mins(1));
        let now = Timestamp::from_second(1000).unwrap();
        let good = key.issue("7", now);
        let api_key = crate::secret::key_of([3; 32]);
        let keys = ApiKeys::new(&[config::ApiKey {
            name: "importer".to_owned(),
            hash: crate::secret::KeyHash::of(&api_key).unwrap(),
            principal: "9".to_owned(),
            verbs: None,
        }]);
        let check = |values: &[&str], expected: Result<&str, u16>| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
            }
            let found =
                bearer(&headers, &key, &keys, now).map(|caller| caller.principal.to_string());
            let found = found.map_err(|problem| problem.status().as_u16());
            assert_eq!(found, expected.map(str::to_owned), "{values:?}");
        };
        let good = format!("Bearer {good}");
        check(&[&good], Ok("7"));
        check(&[&good.replace("Bearer", "bearer")], Ok("7"));
        check(&[&format!("Bearer {api_key}")], Ok("9"));
        check(
            &[&format!("Bearer {}", crate::secret::key_of([4; 32]))],
            Err(401),
        );
        check(&[&api_key], Err(401));
        check(&[], Err(401));
        check(&["Basic eDp5"], Err(401));
        check(&["Bearer"], Err(401));
        check(&["Bearer x.y.z"], Err(401));
        check(&[&good, &good], Err(401));
    }

    #[test]
    fn a_key_is_good_for_its_verbs() {
        let caller = |verbs: Option<&[AccessVerb]>| Caller {
            principal: Principal::new("7"),
            verbs: verbs.map(Arc::from),
        };
        let check = |verbs: Option<&[AccessVerb]>, verb: Option<AccessVerb>, expected: bool| {
            let found = caller(verbs).check(verb);
            assert_eq!(found.is_ok(), expected, "{verbs:?} {verb:?}");
        };
        check(None, None, true);
        check(None, Some(AccessVerb::Delete), true);
        check(Some(&[AccessVerb::Read]), Some(AccessVerb::Read), true);
        check(Some(&[AccessVerb::Read]), Some(AccessVerb::List), false);
        check(Some(&[AccessVerb::Read]), None, false);
    }
}
