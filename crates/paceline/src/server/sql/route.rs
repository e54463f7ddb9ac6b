//! `POST /sql`.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use paceline_data::postgres::text::{TextDatabase, TextQuery};
use paceline_http::client_ip::ClientAddress;
use paceline_http::rate_limit::{Clock as _, SystemClock};

use super::super::body::{self, Bounds};
use super::credentials::Credentials;
use super::failure::Failure;
use super::guesses::Guesses;
use super::output;
use super::request::{self, Asked, Form};

/// What the route needs.
#[derive(Debug)]
pub(super) struct Gateway {
    pub(super) database: TextDatabase,
    pub(super) credentials: Credentials,
    pub(super) guesses: Guesses,
    pub(super) clock: SystemClock,
    pub(super) max_request: usize,
    pub(super) max_response: usize,
    pub(super) body_timeout: Duration,
}

impl Gateway {
    /// Whether the request is from somebody who may. Who guessed too often waits, and is not told whether the next guess
    /// is right.
    fn admit(&self, client: ClientAddress, headers: &HeaderMap) -> Result<(), Failure> {
        let now = self.clock.now();
        if let Some(wait) = self.guesses.wait(client, now) {
            return Err(Failure::too_many_guesses(wait));
        }
        self.credentials.check(headers).map_err(|refused| {
            if refused.is_guess && self.guesses.count(client, now) {
                tracing::warn!(client = %client.ip(), "[sql] refuses a client for wrong passwords or tokens");
            }
            Failure::unauthorized(refused.why)
        })
    }
}

/// Answers one request. A client that goes away has its statements stopped.
pub(super) async fn sql(
    State(gateway): State<Arc<Gateway>>,
    client: ClientAddress,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    gateway.admit(client, &headers)?;
    let bounds = Bounds {
        bytes: gateway.max_request,
        time: gateway.body_timeout,
    };
    let body = body::read(body, bounds).await?;
    let mut told = Vec::new();
    let mut out = Vec::new();
    match request::read(&headers, &body)? {
        Asked::One(query, form) => {
            let result = gateway.database.run(&query, !form.raw).await?;
            output::result(&result, form, &mut out);
        }
        Asked::Batch(queries, transaction) => {
            let (queries, forms): (Vec<TextQuery>, Vec<Form>) = queries.into_iter().unzip();
            let describe = forms.iter().any(|form| !form.raw);
            let running = gateway.database.batch(&queries, transaction, describe);
            let results: Vec<_> = running.await?.into_iter().zip(forms).collect();
            output::batch(&results, &mut out);
            told = request::of_batch(&headers);
        }
    }
    if out.len() > gateway.max_response {
        return Err(Failure::too_large(gateway.max_response));
    }
    let mut response = Response::new(Body::from(out));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.extend(told);
    Ok(response)
}
