//! Credentials of a machine of EC2, from its metadata service (IMDSv2): a session first, then the role, then its
//! credentials. The older way, without a session, is not taken: whoever can make a program send a request could ask so.

use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

use super::ask::{ask, origin_of};
use super::credentials::Lent;
use super::error::NoCredentials;
use super::source::Variables;
use crate::vendor_http::Fetch;

/// Where every machine has it.
const SERVICE: &str = "http://169.254.169.254";
const OTHER_SERVICE: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
const DISABLED: &str = "AWS_EC2_METADATA_DISABLED";
/// Elsewhere nobody answers: how long it is waited for that.
const MOST: Duration = Duration::from_secs(1);

const SESSION: &str = "/latest/api/token";
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";
const SESSION_TIME: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds");
const SESSION_TOKEN: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token");

/// Asks the service; `None` where it is not to be asked.
pub(super) async fn fetch(
    variables: &Variables,
    deadline: Instant,
) -> Result<Option<Lent>, NoCredentials> {
    if variables
        .get(DISABLED)
        .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    {
        return Ok(None);
    }
    let service = variables.get(OTHER_SERVICE);
    let service = service.as_deref().unwrap_or(SERVICE).trim_end_matches('/');
    let uri: Uri = match service.parse() {
        Ok(uri) if Uri::host(&uri).is_some() => uri,
        _ => {
            return Err(NoCredentials::because(format!(
                "{OTHER_SERVICE} is no address"
            )));
        }
    };
    let deadline = deadline.min(Instant::now() + MOST);
    let get = async |method: Method, path: &str, headers: HeaderMap| {
        let path = path.parse().map_err(|_| {
            NoCredentials::answer(&origin_of(&uri).to_string(), "the name of the role is none")
        })?;
        let fetch = Fetch {
            method,
            path,
            headers,
        };
        ask(origin_of(&uri), &fetch, deadline).await
    };
    let seconds = HeaderMap::from_iter([(SESSION_TIME, HeaderValue::from_static("300"))]);
    let session = get(Method::PUT, SESSION, seconds).await?;
    let from = origin_of(&uri).to_string();
    let mut session = HeaderValue::from_bytes(session.trim_ascii())
        .map_err(|_| NoCredentials::answer(&from, "its session is none"))?;
    session.set_sensitive(true);
    let session = HeaderMap::from_iter([(SESSION_TOKEN, session)]);
    let roles = get(Method::GET, ROLES, session.clone()).await?;
    let role = roles.split(|byte| *byte == b'\n').next();
    let role = std::str::from_utf8(role.unwrap_or_default()).unwrap_or_default();
    if role.trim().is_empty() {
        return Err(NoCredentials::answer(&from, "the machine has no role"));
    }
    let body = get(Method::GET, &format!("{ROLES}{}", role.trim()), session).await?;
    Lent::read(&body, &from).map(Some)
}
