//! The function's side of the Lambda Runtime API: ask for an event, answer it, again and again.

mod api;
mod client;
mod extension;
mod invoke;
mod next;
mod snap_start;
mod work;

pub(crate) use self::api::RuntimeApi;
pub(crate) use self::invoke::Core;
pub(crate) use self::snap_start::Failed as SnapshotFailed;
pub use self::snap_start::SnapStart;
pub(crate) use self::work::run;

use crate::BoxError;

/// A report or a question that the Runtime API did not take.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeApiError {
    /// The address is none.
    #[error("AWS_LAMBDA_RUNTIME_API is {0:?}: expected host:port")]
    Address(String),
    /// It cannot be connected to.
    #[error("the Runtime API at {0} cannot be connected to")]
    Connect(String, #[source] std::io::Error),
    /// The connection broke.
    #[error("the connection to the Runtime API broke")]
    Broken(#[source] BoxError),
    /// It refused.
    #[error("the Runtime API answered {status} to {path}: {text}")]
    Refused {
        /// What was asked.
        path: String,
        /// Its status.
        status: u16,
        /// What it said.
        text: String,
    },
    /// An event came without its id, so it cannot be answered.
    #[error("the Runtime API sent an event without an id that could be answered to")]
    NoId,
}

/// An error as the platform wants to be told of it.
#[derive(Debug)]
pub(crate) struct FunctionError {
    /// A name for the kind, which ends up in the logs.
    pub(crate) kind: &'static str,
    /// With its causes.
    pub(crate) message: String,
}

impl FunctionError {
    pub(crate) fn new(kind: &'static str, error: &dyn std::error::Error) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(next) = cause {
            message.push_str(": ");
            message.push_str(&next.to_string());
            cause = next.source();
        }
        Self { kind, message }
    }

    pub(crate) fn to_json(&self) -> Vec<u8> {
        let document = serde_json::json!({
            "errorType": self.kind,
            "errorMessage": self.message,
            "stackTrace": [],
        });
        document.to_string().into()
    }
}

/// Whoever started the process wants it to end.
pub(crate) type Stop = tokio::sync::watch::Receiver<bool>;

/// Waits until it is to end.
pub(crate) async fn stopped(stop: &mut Stop) {
    // An error says that nobody is left who could ask for it.
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}
