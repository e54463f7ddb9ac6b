//! One request and its answer.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use paceline_jobs::JobId;

use super::answer::Answer;
use super::connect::{Connector, NoRoots};
use super::signature::{SigningSecret, webhook_id};
use super::{Settings, retry_after};

/// How much of an answer is read; a longer one costs its connection.
const MAX_ANSWER: usize = 64 * 1024;
/// How long an unused connection is kept.
const IDLE: Duration = Duration::from_secs(30);
const AGENT: &str = concat!("paceline/", env!("CARGO_PKG_VERSION"));

/// No answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAnswer {
    #[error("the target did not answer within {0:?}")]
    Late(Duration),
    #[error("the request to the target failed")]
    Request(#[source] hyper_util::client::legacy::Error),
    #[error("the target's answer broke off")]
    Body(#[source] hyper::Error),
}

impl NoAnswer {
    /// The message and its causes.
    pub(super) fn with_causes(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(next) = cause {
            let _ = write!(text, ": {next}");
            cause = next.source();
        }
        text
    }
}

/// Sends deliveries to one target, over connections that are kept.
pub(super) struct Exchange {
    client: Client<Connector, Full<Bytes>>,
    target: Uri,
    secret: Option<SigningSecret>,
    timeout: Duration,
}

impl Exchange {
    pub(super) fn new(settings: &Settings) -> Result<Self, NoRoots> {
        let connector = Connector::new(&settings.target, settings.reach)?;
        let idle = usize::try_from(settings.concurrency.get()).unwrap_or(usize::MAX);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(idle)
            .build(connector);
        Ok(Self {
            client,
            target: settings.target.clone(),
            secret: settings.secret.clone(),
            timeout: settings.timeout,
        })
    }

    /// Sends one body and reads the answer.
    pub(super) async fn post(
        &self,
        job: &JobId,
        now: SystemTime,
        body: String,
    ) -> Result<Answer, NoAnswer> {
        let request = self.request(job, now, body);
        let exchange = async {
            let response = self.client.request(request).await;
            read(response.map_err(NoAnswer::Request)?, now).await
        };
        tokio::time::timeout(self.timeout, exchange)
            .await
            .unwrap_or(Err(NoAnswer::Late(self.timeout)))
    }

    fn request(&self, job: &JobId, now: SystemTime, body: String) -> Request<Full<Bytes>> {
        let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let id = webhook_id(job.as_str());
        let mut request = Request::post(self.target.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(USER_AGENT, HeaderValue::from_static(AGENT))
            .header("webhook-id", &id)
            .header("webhook-timestamp", seconds);
        if let Some(secret) = &self.secret {
            request = request.header("webhook-signature", secret.sign(&id, seconds, &body));
        }
        request
            .body(Full::from(body))
            .expect("ids are encoded, and the other headers are ASCII")
    }
}

async fn read(response: Response<Incoming>, now: SystemTime) -> Result<Answer, NoAnswer> {
    let (head, mut rest) = response.into_parts();
    let retry_after = head
        .headers
        .get(RETRY_AFTER)
        .and_then(|value| retry_after::wait(value, now));
    let mut answer = Answer {
        status: head.status,
        retry_after,
        body: Vec::new(),
        whole: true,
    };
    while let Some(frame) = rest.frame().await {
        let Ok(data) = frame.map_err(NoAnswer::Body)?.into_data() else {
            continue;
        };
        let room = MAX_ANSWER - answer.body.len();
        answer.body.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() > room {
            answer.whole = false;
            break;
        }
    }
    Ok(answer)
}
