//! Credentials of a container: the endpoint that ECS, EKS Pod Identity and others name in its environment.
//!
//! The rules are those of the AWS SDKs: the relative address goes to the agent of ECS; an absolute one may be plain HTTP
//! only where it cannot leave the machine. The token that proves who asks is read from its file each time, because it
//! changes.

use std::net::IpAddr;
use std::time::Instant;

use http::header::AUTHORIZATION;
use http::uri::Scheme;
use http::{HeaderMap, HeaderValue, Method, Uri};

use super::ask::{ask, origin_of};
use super::credentials::Lent;
use super::error::NoCredentials;
use super::source::Variables;
use crate::vendor_http::Fetch;

/// Where the agent of ECS is.
const AGENT: &str = "http://169.254.170.2";
/// Addresses that lead to an agent on the same machine, besides its own: those of ECS and of EKS.
const AGENTS: [&str; 3] = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"];

const RELATIVE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const FULL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
const TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
/// The most bytes of a file that is a token.
const LONGEST_TOKEN: u64 = 64 * 1024;

/// Where to ask; `None` where the environment names no such endpoint.
pub(super) fn endpoint(variables: &Variables) -> Result<Option<Uri>, NoCredentials> {
    if let Some(path) = variables.get(RELATIVE) {
        let whole = format!("{AGENT}{path}").parse();
        return match whole {
            Ok(uri) if path.starts_with('/') => Ok(Some(uri)),
            _ => Err(NoCredentials::because(format!(
                "{RELATIVE} is no path: it begins with a slash"
            ))),
        };
    }
    let Some(address) = variables.get(FULL) else {
        return Ok(None);
    };
    let refused = |what: &str| Err(NoCredentials::because(format!("{FULL} {what}")));
    let uri: Uri = match address.parse() {
        Ok(uri) => uri,
        Err(_) => return refused("is no address"),
    };
    match uri.host().map(|host| host.trim_matches(['[', ']'])) {
        None => refused("is no address that names a host"),
        Some(_) if uri.scheme() == Some(&Scheme::HTTPS) => Ok(Some(uri)),
        Some(host) if uri.scheme() == Some(&Scheme::HTTP) => {
            if is_near(host) {
                Ok(Some(uri))
            } else {
                refused(
                    "would send the token and the credentials in plain text: only https may lead to another host than \
                     this machine (localhost, a loopback address) and the agents of ECS and EKS",
                )
            }
        }
        Some(_) => refused("is neither http nor https"),
    }
}

/// Whether what is sent there stays on the machine.
fn is_near(host: &str) -> bool {
    let address = host.parse::<IpAddr>().ok();
    let is_agent = || {
        let agents = AGENTS.iter().map(|agent| agent.parse().ok());
        agents.into_iter().any(|agent| agent == address)
    };
    match address {
        Some(address) => address.is_loopback() || is_agent(),
        None => host.eq_ignore_ascii_case("localhost"),
    }
}

/// Asks the endpoint.
pub(super) async fn fetch(
    variables: &Variables,
    uri: &Uri,
    deadline: Instant,
) -> Result<Lent, NoCredentials> {
    let mut headers = HeaderMap::new();
    if let Some(token) = token(variables).await? {
        headers.insert(AUTHORIZATION, token);
    }
    let path = uri.path_and_query().cloned();
    let fetch = Fetch {
        method: Method::GET,
        path: path.map_or_else(|| Uri::from_static("/"), Uri::from),
        headers,
    };
    let body = ask(origin_of(uri), &fetch, deadline).await?;
    Lent::read(&body, &origin_of(uri).to_string())
}

/// What the endpoint is shown. The file counts where both are named.
async fn token(variables: &Variables) -> Result<Option<HeaderValue>, NoCredentials> {
    let (name, text) = if let Some(file) = variables.get(TOKEN_FILE) {
        (TOKEN_FILE, read(&file).await?)
    } else if let Some(token) = variables.get(TOKEN) {
        (TOKEN, token)
    } else {
        return Ok(None);
    };
    let value = HeaderValue::try_from(text.trim_end_matches(['\r', '\n']));
    let mut value = value.map_err(|_| {
        // Line breaks in the middle would be headers of their own.
        NoCredentials::because(format!("{name} holds what cannot stand in a header"))
    })?;
    value.set_sensitive(true);
    Ok(Some(value))
}

async fn read(file: &str) -> Result<String, NoCredentials> {
    use tokio::io::AsyncReadExt as _;
    let failed =
        |error: std::io::Error| NoCredentials::failed(&format!("the file of {TOKEN_FILE}"), error);
    let mut text = String::new();
    let opened = tokio::fs::File::open(file).await.map_err(failed)?;
    let mut bounded = opened.take(LONGEST_TOKEN);
    bounded.read_to_string(&mut text).await.map_err(failed)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_on_the_machine() {
        let of = |name: &'static str, value: &str| {
            let value = value.to_owned();
            let variables = Variables::of(move |asked| (asked == name).then(|| value.clone()));
            let found = endpoint(&variables);
            found.map(|uri| uri.map(|uri| uri.to_string()))
        };
        for (value, expected) in [
            ("http://169.254.170.23/v1/credentials", true),
            ("http://[fd00:ec2::23]/v1/credentials", true),
            ("http://127.0.0.9:8080/x?y=z", true),
            ("http://[::1]/x", true),
            ("http://localhost/x", true),
            ("https://credentials.example.com/x", true),
            ("http://credentials.example.com/x", false),
            ("http://169.254.169.254/x", false),
            ("http://10.0.0.1/x", false),
            ("http://localhost.example.com/x", false),
            ("http://127.0.0.1.example.com/x", false),
            ("ftp://127.0.0.1/x", false),
            ("/relative", false),
            ("http://a b/", false),
        ] {
            match of(FULL, value) {
                Ok(found) => {
                    assert!(expected, "{value}");
                    assert_eq!(found.as_deref(), Some(value));
                }
                Err(error) => {
                    assert!(!expected, "{value}: {error}");
                    assert!(error.to_string().contains(FULL), "{error}");
                }
            }
        }
        let agent = of(RELATIVE, "/v2/credentials/id").unwrap();
        assert_eq!(
            agent.as_deref(),
            Some("http://169.254.170.2/v2/credentials/id")
        );
        // Elsewhere it would be a part of the host's name.
        assert!(of(RELATIVE, ".example.com/x").is_err());
        assert!(of("ANOTHER", "x").unwrap().is_none());
    }

    #[tokio::test]
    async fn a_token_cannot_add_headers_and_is_not_shown() {
        let of = |text: &'static str| {
            Variables::of(move |name| (name == TOKEN).then(|| text.to_owned()))
        };
        let good = token(&of("Bearer hunter2\n")).await.unwrap().unwrap();
        assert_eq!(good.as_bytes(), b"Bearer hunter2");
        assert!(!format!("{good:?}").contains("hunter"));
        let error = token(&of("hunter2\r\nX: y")).await.unwrap_err();
        assert!(error.to_string().contains(TOKEN) && !error.to_string().contains("hunter"));
    }
}
