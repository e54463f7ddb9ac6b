//! Single flight: a long body that many ask for at once is encoded once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::kept::Kept;
use super::key::Key;

type Outcome = Option<Arc<Kept>>;
type ByKey = Mutex<HashMap<Key, watch::Receiver<Outcome>>>;

/// What is being encoded at the moment.
#[derive(Debug, Default)]
pub(super) struct Flights(Arc<ByKey>);

/// The part of a caller.
pub(super) enum Role {
    /// Encode, and [`land`](Leader::land).
    Leader(Leader),
    /// Wait for it.
    Follower(watch::Receiver<Outcome>),
}

/// The duty to encode. It runs on a thread that no client can cancel; should that panic, the followers are woken.
pub(super) struct Leader {
    flights: Arc<ByKey>,
    key: Key,
    outcome: watch::Sender<Outcome>,
}

impl Flights {
    pub(super) fn join(&self, key: Key) -> Role {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(outcome) = flights.get(&key) {
            return Role::Follower(outcome.clone());
        }
        let (outcome, receiver) = watch::channel(None);
        flights.insert(key, receiver);
        Role::Leader(Leader {
            flights: Arc::clone(&self.0),
            key,
            outcome,
        })
    }
}

impl Leader {
    /// Hands the result to everyone who waits. Put it into the cache first: whoever comes later finds it there.
    pub(super) fn land(self, kept: Arc<Kept>) {
        self.outcome.send_replace(Some(kept));
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        flights.remove(&self.key);
    }
}

/// What the leader made; `None` when it could not.
pub(super) async fn wait(mut outcome: watch::Receiver<Outcome>) -> Outcome {
    outcome.wait_for(Option::is_some).await.ok()?.clone()
}
