//! `POST /send-email`.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use paceline_http::problem::Problem;
use paceline_jobs::{AddError, Added, Fingerprint, IdempotencyKey, JobOptions, Queue};
use serde_json::json;

use super::payload::Email;
use super::worker::backoff;
use crate::config;
use crate::server::body::read_object;
use crate::server::idempotency_key::{KEY_HEADER, idempotency_key};
use crate::server::source::Source;

/// How long an `Idempotency-Key` is remembered.
const HOLD: Duration = Duration::from_hours(24);

/// What the route needs.
#[derive(Debug, Clone)]
pub(crate) struct EmailRoute {
    queue: Queue<Email>,
    settings: Arc<config::Email>,
    source: Arc<Source>,
    is_durable: bool,
}

impl EmailRoute {
    pub(crate) fn new(
        queue: Queue<Email>,
        settings: Arc<config::Email>,
        source: Arc<Source>,
    ) -> Self {
        Self {
            queue,
            settings,
            source,
            is_durable: true,
        }
    }

    /// Whether a mail outlives the process; answers say so when it does not.
    pub(crate) fn durable(mut self, is_durable: bool) -> Self {
        self.is_durable = is_durable;
        self
    }

    fn options(&self, key: Option<IdempotencyKey>) -> JobOptions {
        let options = JobOptions::new()
            .attempts(self.settings.attempts.get())
            .backoff(backoff(self.settings.backoff));
        match key {
            Some(key) => options.idempotency(key),
            None => options,
        }
    }
}

/// Checks the mail, stores it as a job, and answers 202 once it is on disk.
pub(crate) async fn send_email(
    State(route): State<EmailRoute>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    if !route.settings.anonymous {
        route.source.check_token(&headers)?;
    }
    let key = idempotency_key(&headers)?;
    let object = read_object(&headers, body, route.source.bodies).await?;
    let email = Email::parse(object).map_err(Problem::unprocessable)?;
    let key = key.map(|key| IdempotencyKey {
        key,
        fingerprint: fingerprint(&email),
        hold: HOLD,
    });
    let added = route
        .queue
        .add_with("send-email", &email, route.options(key))
        .await
        .map_err(refused)?;
    Ok(accepted(&route, &added))
}

fn accepted(route: &EmailRoute, added: &Added) -> Response {
    let (public_path, queue) = (&route.source.public_path, &route.settings.queue);
    let id = added.id.as_str();
    let mut body =
        json!({"success": true, "message": "Email queued", "job": {"queue": queue, "id": id}});
    if !route.is_durable {
        body["durable"] = json!(false);
    }
    let location = HeaderValue::try_from(format!("{public_path}/api/jobs/{queue}/{id}"))
        .expect("queue names and job ids are legal in a header");
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (LOCATION, location),
    ];
    (StatusCode::ACCEPTED, headers, body.to_string()).into_response()
}

fn fingerprint(email: &Email) -> Fingerprint {
    let bytes = serde_json::to_vec(email).expect("a mail is three strings");
    Fingerprint::of(&bytes)
}

fn refused(error: AddError) -> Problem {
    match error {
        AddError::QueueFull { .. } => Problem::unavailable(
            Duration::from_secs(30),
            "Too many mails are waiting. Send this one later.",
        ),
        AddError::IdempotencyConflict { .. } => {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency-key-reused")
                .with_detail(
                    "This Idempotency-Key was used for another mail. Use a new key for a new mail.",
                )
                .with_request_header(&KEY_HEADER)
        }
        AddError::TooLarge { max, .. } => Problem::payload_too_large(max as u64),
        other => Problem::internal(other),
    }
}
