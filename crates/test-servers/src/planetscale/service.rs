//! Requests and their answers.

use std::sync::Mutex;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use mysql_async::{Opts, OptsBuilder};
use serde_json::{Value, json};

use super::fault::{Fault, Faults};
use super::refusal::Refusal;
use super::session::Sessions;
use super::{PlanetScale, PlanetScaleOptions, held};

/// How MySQL is set up at the vendor; the server behind this double has other defaults.
const SQL_MODE: &str = "SET SESSION sql_mode = 'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'";

/// A request that was let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What was asked for: `Execute` or `CreateSession`.
    pub method: String,
    /// The statement; empty for a session.
    pub query: String,
    /// Whether a session was sent along.
    pub with_session: bool,
}

/// What the double knows.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) opts: Opts,
    pub(super) database: String,
    pub(super) options: PlanetScaleOptions,
    pub(super) sessions: Sessions,
    pub(super) faults: Faults,
    pub(super) asked: Mutex<Vec<Asked>>,
}

/// The connection is to be closed without an answer.
#[derive(Debug)]
pub(super) struct Closed;

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("closed on purpose")
    }
}

impl std::error::Error for Closed {}

impl Service {
    pub(super) fn new(url: &str, database: &str, options: PlanetScaleOptions) -> Self {
        let opts = Opts::from_url(url).expect("the address of a server of the tests");
        let mut setup = vec![SQL_MODE.to_owned()];
        setup.extend(options.setup.iter().cloned());
        // The driver begins at the end.
        setup.reverse();
        let opts = OptsBuilder::from_opts(opts)
            .client_found_rows(true)
            .prefer_socket(false)
            .init(setup);
        Self {
            opts: opts.into(),
            database: database.to_owned(),
            options,
            sessions: Sessions::default(),
            faults: Faults::default(),
            asked: Mutex::default(),
        }
    }

    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Closed> {
        let outcome = self.let_in(request).await;
        let (method, body) = match outcome {
            Ok(let_in) => let_in,
            Err(refusal) => return Ok(refused(&refusal)),
        };
        let fault = self.faults.next();
        match &fault {
            Some(Fault::LostBefore) => return Err(Closed),
            Some(Fault::Silence) => std::future::pending().await,
            Some(Fault::Status(status, body)) => return Ok(response(*status, body.clone())),
            Some(Fault::LostAfter | Fault::Cut) | None => {}
        }
        let answer = self.perform(&method, &body).await;
        if fault == Some(Fault::LostAfter) {
            return Err(Closed);
        }
        Ok(match answer {
            Ok(value) => {
                let mut text = value.to_string();
                if fault == Some(Fault::Cut) {
                    text.truncate(text.floor_char_boundary(text.len() / 2));
                }
                response(200, text)
            }
            Err(refusal) => refused(&refusal),
        })
    }

    /// Checks who asks, and reads what.
    async fn let_in(&self, request: Request<Incoming>) -> Result<(String, Value), Refusal> {
        let path = request.uri().path();
        let method = path.strip_prefix("/psdb.v1alpha1.Database/");
        let method = method.filter(|method| matches!(*method, "CreateSession" | "Execute"));
        let Some(method) = method.filter(|_| request.method() == Method::POST) else {
            return Err(Refusal::of_request(404, "not_found", "no such method"));
        };
        let method = method.to_owned();
        let known = format!("{}:{}", PlanetScale::USER, PlanetScale::PASSWORD);
        let known = format!("Basic {}", STANDARD.encode(known));
        let given = request.headers().get(AUTHORIZATION);
        if given.is_none_or(|given| given.as_bytes() != known.as_bytes()) {
            let message = "invalid authorization credentials";
            return Err(Refusal::of_request(401, "unauthenticated", message));
        }
        let invalid = |message: &str| Refusal::of_request(400, "invalid_argument", message);
        let json = request.headers().get(CONTENT_TYPE);
        if json.is_none_or(|kind| !kind.as_bytes().starts_with(b"application/json")) {
            return Err(Refusal::of_request(415, "unknown", "JSON is wanted"));
        }
        let body = request.into_body().collect().await;
        let body = body.map_err(|_| invalid("the body broke off"))?.to_bytes();
        let body = serde_json::from_slice(&body).map_err(|_| invalid("the body is not JSON"))?;
        Ok((method, body))
    }

    async fn perform(&self, method: &str, body: &Value) -> Result<Value, Refusal> {
        let query = body["query"].as_str();
        held(&self.asked).push(Asked {
            method: method.to_owned(),
            query: query.unwrap_or_default().to_owned(),
            with_session: !body["session"].is_null(),
        });
        if method == "CreateSession" {
            return Ok(json!({
                "branch": "main",
                "user": {"username": PlanetScale::USER, "psid": "planetscale-1"},
                "session": self.sessions.begin().issued(),
            }));
        }
        let missing = || Refusal::of_request(400, "invalid_argument", "query is empty");
        let query = query.filter(|query| !query.trim().is_empty());
        let query = query.ok_or_else(missing)?;
        let session = self.sessions.get(&body["session"])?;
        let began = Instant::now();
        let outcome = self.execute(&session, query).await;
        let mut answer = json!({
            "session": session.issued(),
            "timing": began.elapsed().as_secs_f64(),
        });
        match outcome {
            Ok(result) => answer["result"] = result,
            Err(refusal) if refusal.status == 200 => answer["error"] = refusal.json(),
            Err(refusal) => return Err(refusal),
        }
        Ok(answer)
    }
}

fn refused(refusal: &Refusal) -> Response<Full<Bytes>> {
    let body = json!({"error": refusal.json()});
    response(refusal.status, body.to_string())
}

fn response(status: u16, body: String) -> Response<Full<Bytes>> {
    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body)))
        .expect("a status and two headers")
}
