//! `paceline jobs work` as a scheduled function: a round an event, over before the platform ends it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Response, StatusCode};
use paceline_jobs::{EngineHandle, RawQueue, Shutdown};
use paceline_serverless::{BoxError, Place, Scheduled, Serverless};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::Work;
use crate::cli::Failure;
use crate::processor::http::{self, Tally};

/// What is left to say what the round did.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// How long a round takes jobs, and how long those under way get then, when `left` is left of the function's time and
/// `grace` is wanted.
fn times(left: Option<Duration>, grace: Duration) -> (Option<Duration>, Duration) {
    let Some(left) = left else {
        return (None, grace);
    };
    let grace = grace.min(left / 4);
    (Some(left.saturating_sub(grace + LAST_WORDS)), grace)
}

impl Work {
    /// Works a round for each event, until the platform ends the process.
    pub(super) async fn on_lambda(
        self,
        engine: &EngineHandle,
        place: &Place,
    ) -> Result<String, Failure> {
        let queue = super::raw_queue(engine, &self.queue)?;
        let settings = Arc::new(self.settings()?);
        let work = Arc::new(self);
        let rounds = Serverless::new(tower::service_fn(|_| async {
            let mut nothing = Response::new(Body::empty());
            *nothing.status_mut() = StatusCode::NOT_FOUND;
            Ok::<_, Infallible>(nothing)
        }));
        let rounds = rounds.on_schedule(move |event| {
            let (work, queue, settings) = (Arc::clone(&work), queue.clone(), Arc::clone(&settings));
            async move { work.round(&queue, &settings, &event).await }
        });
        let ran = rounds.run_in(place).await;
        ran.map(|()| String::new())
            .map_err(|error| Failure::run(&error))
    }

    async fn round(
        &self,
        queue: &RawQueue,
        settings: &http::Settings,
        event: &Scheduled,
    ) -> Result<Value, BoxError> {
        let now = Instant::now();
        let left = event.deadline.map(|deadline| deadline.remaining(now));
        let (longest, grace) = times(left, self.grace);
        let longest = longest.into_iter().chain(self.max_time).min();
        let tally = Arc::new(Tally::default());
        let worker = http::start(queue.clone(), settings, Arc::clone(&tally))?;
        let nobody = CancellationToken::new();
        let ended = self.wait_for_end(queue, &nobody, longest).await;
        let stopped = worker.stop(grace).await;
        let end = ended.map_err(|failure| failure.to_string())?;
        let summary = self.summary(end, &tally, stopped, true);
        tracing::info!(summary, "a round is over");
        Ok(serde_json::from_str(&summary)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_ends_before_the_function_does() {
        let s = Duration::from_secs;
        for (left, grace, takes, gets) in [
            (None, s(10), None, s(10)),
            (
                Some(s(60)),
                s(10),
                Some(Duration::from_millis(49_500)),
                s(10),
            ),
            (Some(s(8)), s(10), Some(Duration::from_millis(5_500)), s(2)),
            (
                Some(Duration::ZERO),
                s(10),
                Some(Duration::ZERO),
                Duration::ZERO,
            ),
        ] {
            assert_eq!(times(left, grace), (takes, gets), "{left:?}");
            if let (Some(left), Some(takes)) = (left, takes) {
                assert!(takes + gets <= left);
            }
        }
    }
}
