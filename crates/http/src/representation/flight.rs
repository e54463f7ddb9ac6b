//! Single flight: of many who want the same thing at once, one makes it and the others wait.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Place;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::shelf::Key;

/// What leaders leave for their followers.
type Outcome<T> = Option<T>;

/// What is being made at the moment, by key and validity.
#[derive(Debug)]
pub(super) struct Flights<V, T> {
    by_key: Mutex<HashMap<Key, Vec<Flight<V, T>>>>,
}

#[derive(Debug)]
struct Flight<V, T> {
    validity: V,
    outcome: watch::Receiver<Outcome<T>>,
}

/// The part of a caller.
pub(super) enum Role<'a, V: Eq, T> {
    /// Make it, and [`land`](Leader::land) it.
    Leader(Leader<'a, V, T>),
    /// Wait for it.
    Follower(Follower<T>),
}

/// The duty to make something. Dropped without landing (an error, a panic, a client that left), it wakes the
/// followers, and one of them takes over.
pub(super) struct Leader<'a, V: Eq, T> {
    flights: &'a Flights<V, T>,
    key: Key,
    validity: V,
    outcome: watch::Sender<Outcome<T>>,
}

pub(super) struct Follower<T>(watch::Receiver<Outcome<T>>);

impl<V: Eq + Clone, T> Flights<V, T> {
    pub(super) fn new() -> Self {
        Self {
            by_key: Mutex::new(HashMap::new()),
        }
    }

    pub(super) fn join(&self, key: &[u8], validity: &V) -> Role<'_, V, T> {
        let mut by_key = self.lock();
        if let Some(flight) = by_key
            .get(key)
            .and_then(|all| all.iter().find(|one| one.validity == *validity))
        {
            return Role::Follower(Follower(flight.outcome.clone()));
        }
        let key = Key::from(key);
        let (sender, receiver) = watch::channel(None);
        let flight = Flight {
            validity: validity.clone(),
            outcome: receiver,
        };
        by_key.entry(Key::clone(&key)).or_default().push(flight);
        Role::Leader(Leader {
            flights: self,
            key,
            validity: validity.clone(),
            outcome: sender,
        })
    }
}

impl<V, T> Flights<V, T> {
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Vec<Flight<V, T>>>> {
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.lock().len()
    }
}

impl<V: Eq, T> Leader<'_, V, T> {
    pub(super) fn key(&self) -> &Key {
        &self.key
    }

    /// Hands the result to everyone who waits.
    pub(super) fn land(self, result: T) {
        self.outcome.send_replace(Some(result));
    }
}

impl<V: Eq, T> Drop for Leader<'_, V, T> {
    fn drop(&mut self) {
        let mut by_key = self.flights.lock();
        if let Place::Occupied(mut place) = by_key.entry(Key::clone(&self.key)) {
            place
                .get_mut()
                .retain(|flight| flight.validity != self.validity);
            if place.get().is_empty() {
                place.remove();
            }
        }
    }
}

impl<T: Clone> Follower<T> {
    /// What the leader made; `None` when it gave up.
    pub(super) async fn wait(mut self) -> Option<T> {
        self.0.wait_for(Option::is_some).await.ok()?.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join<'a>(flights: &'a Flights<u8, u32>, key: &str, validity: u8) -> Role<'a, u8, u32> {
        flights.join(key.as_bytes(), &validity)
    }

    #[tokio::test]
    async fn followers_get_what_the_leader_lands_and_nothing_stays_behind() {
        let flights = Flights::new();
        let Role::Leader(leader) = join(&flights, "a", 1) else {
            panic!("the first leads")
        };
        let Role::Follower(follower) = join(&flights, "a", 1) else {
            panic!("the second follows")
        };
        assert!(
            matches!(join(&flights, "a", 2), Role::Leader(_)),
            "another validity is another flight"
        );
        assert!(
            matches!(join(&flights, "b", 1), Role::Leader(_)),
            "another key is another flight"
        );
        leader.land(7);
        assert_eq!(follower.wait().await, Some(7));
        assert_eq!(flights.len(), 0);
    }

    #[tokio::test]
    async fn a_leader_that_gives_up_strands_nobody() {
        let flights = Flights::new();
        let Role::Leader(leader) = join(&flights, "a", 1) else {
            panic!("the first leads")
        };
        let Role::Follower(follower) = join(&flights, "a", 1) else {
            panic!("the second follows")
        };
        drop(leader);
        assert_eq!(follower.wait().await, None);
        assert!(matches!(join(&flights, "a", 1), Role::Leader(_)));
    }
}
