//! One question to an endpoint that gives credentials, bounded in time and size.

use std::time::{Duration, Instant};

use http::uri::Scheme;
use http::{StatusCode, Uri};

use super::error::NoCredentials;
use crate::vendor_http::{Fetch, HttpClient, HttpOptions, Origin, tls_settings};

/// How long an answer may take; asked again within it where the connection failed.
const TIME: Duration = Duration::from_secs(5);
/// The largest answer, in bytes.
const MOST: usize = 64 * 1024;

/// The server of an address that names a host.
pub(super) fn origin_of(uri: &Uri) -> Origin {
    let secure = uri.scheme() == Some(&Scheme::HTTPS);
    let host = uri.host().unwrap_or_default();
    Origin {
        secure,
        host: host.trim_matches(['[', ']']).to_owned(),
        port: uri.port_u16().unwrap_or(Origin::usual_port(secure)),
    }
}

/// The body of an answer with the status 200. No error holds anything of what was sent or answered.
pub(super) async fn ask(
    origin: Origin,
    fetch: &Fetch,
    deadline: Instant,
) -> Result<Vec<u8>, NoCredentials> {
    let from = origin.to_string();
    let tls = if origin.secure {
        Some(tls_settings(None).map_err(|error| NoCredentials::failed(&from, error))?)
    } else {
        None
    };
    // It is asked once in some hours: no connection is worth keeping.
    let options = HttpOptions {
        max_kept: 0,
        max_answer: MOST,
    };
    let client = HttpClient::new(origin, tls, options);
    let reply = client.fetch(fetch, deadline.min(Instant::now() + TIME));
    let reply = reply
        .await
        .map_err(|error| NoCredentials::failed(&from, error).passing())?;
    let status = reply.status;
    if status != StatusCode::OK {
        let what = format!("answered with the status {}", status.as_u16());
        let refused = NoCredentials::answer(&from, &what);
        let is_passing = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
        return Err(if is_passing {
            refused.passing()
        } else {
            refused
        });
    }
    Ok(reply.body)
}
