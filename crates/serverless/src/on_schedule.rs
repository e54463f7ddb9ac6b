//! Events that are neither requests nor warm-ups: schedules, and whatever else a function is invoked with.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::Value;

use crate::BoxError;
use crate::deadline::Deadline;
use crate::invocation::Invocation;
use crate::panic::caught;

type Handling = Pin<Box<dyn Future<Output = Result<Value, BoxError>> + Send>>;

/// What is done with them.
#[derive(Clone)]
pub(crate) struct OnSchedule(Arc<dyn Fn(Scheduled) -> Handling + Send + Sync>);

/// An event that is neither a request nor a warm-up.
///
/// It may come more than once: whoever invokes a function asynchronously tries again after an error.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Scheduled {
    /// The event as it came.
    pub event: Value,
    /// The invocation.
    pub invocation: Invocation,
    /// When it is cut off, where that is known.
    pub deadline: Option<Deadline>,
}

impl Scheduled {
    /// The name of what sent it: the rule or the schedule, when it says one.
    pub fn name(&self) -> Option<&str> {
        let resources = self.event.get("resources")?.as_array()?;
        resources.first()?.as_str()?.rsplit('/').next()
    }

    /// `id` of the event, the same when it is sent again.
    pub fn id(&self) -> Option<&str> {
        self.event.get("id")?.as_str()
    }
}

impl OnSchedule {
    pub(crate) fn new<F, R>(handler: F) -> Self
    where
        F: Fn(Scheduled) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Value, BoxError>> + Send + 'static,
    {
        Self(Arc::new(move |event| Box::pin(handler(event))))
    }

    pub(crate) async fn run(&self, event: Scheduled) -> Result<Value, BoxError> {
        let handler = &self.0;
        caught(async move { handler(event).await }).await?
    }
}

impl fmt::Debug for OnSchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnSchedule")
    }
}

/// Nobody takes the event.
#[derive(Debug, thiserror::Error)]
#[error(
    "the event ({0}) is neither a request nor a warm-up, and nothing takes such events: give a handler with on_schedule, or, \
     if it is meant to keep the function warm, give its schedule a name that contains keep-warm"
)]
pub(crate) struct Untaken(String);

impl Untaken {
    /// Names the event by what it says of itself, never by its contents.
    pub(crate) fn new(event: &Value) -> Self {
        let text = |key: &str| event.get(key).and_then(Value::as_str);
        let name = match (text("source"), text("detail-type")) {
            (Some(source), Some(kind)) => format!("{kind} of {source}"),
            (Some(source), None) => format!("of {source}"),
            _ => "of an unknown sender".to_owned(),
        };
        Self(name)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_that_nobody_takes_is_named_without_its_contents() {
        let told = |event: Value| Untaken::new(&event).to_string();
        let rule = told(
            json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": "secret"}),
        );
        assert!(
            rule.contains("Scheduled Event of aws.events") && rule.contains("on_schedule"),
            "{rule}"
        );
        assert!(!rule.contains("secret"));
        assert!(told(json!(["secret"])).contains("unknown sender"));
    }

    #[tokio::test]
    async fn a_handler_gets_the_event_and_its_panic_is_an_error() {
        let handler = OnSchedule::new(|event: Scheduled| async move {
            Ok(json!({"name": event.name(), "id": event.id()}))
        });
        let event = Scheduled {
            event: json!({"id": "7", "resources": ["arn:aws:events:r:1:rule/nightly"]}),
            invocation: Invocation::default(),
            deadline: None,
        };
        let done = handler.run(event.clone()).await.expect("it succeeds");
        assert_eq!(done, json!({"name": "nightly", "id": "7"}));
        let broken = OnSchedule::new(|_| async { panic!("a bug") });
        let error = broken.run(event).await.expect_err("it panics");
        assert!(error.to_string().contains("a bug"));
    }
}
