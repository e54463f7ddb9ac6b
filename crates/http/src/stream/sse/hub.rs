//! What a broadcaster and its subscriptions share.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use super::ring::Ring;
use super::{Options, SubscribeError};

#[derive(Debug)]
pub(super) struct Hub {
    pub(super) epoch: u64,
    pub(super) options: Options,
    state: Mutex<State>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) ring: Ring,
    pub(super) draining: bool,
    /// A place per client: its waker while it waits.
    places: Vec<Option<Waker>>,
    free_places: Vec<usize>,
}

impl Hub {
    pub(super) fn new(epoch: u64, options: Options) -> Self {
        let ring = Ring::new(options.buffer_events.get(), options.buffer_bytes.get());
        let state = State {
            ring,
            draining: false,
            places: Vec::new(),
            free_places: Vec::new(),
        };
        Self {
            epoch,
            options,
            state: Mutex::new(state),
        }
    }

    /// The state is whole between any two of its steps, so a panic elsewhere while it was locked does no
    /// harm.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `change`, then wakes every client that waits, after the lock is gone.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let result = change(&mut state);
        let wakers: Vec<Waker> = state.places.iter_mut().filter_map(Option::take).collect();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        result
    }
}

impl State {
    pub(super) fn clients(&self) -> usize {
        self.places.len() - self.free_places.len()
    }

    /// A place for a new client.
    pub(super) fn enter(&mut self, max_clients: usize) -> Result<usize, SubscribeError> {
        if self.draining {
            return Err(SubscribeError::Draining);
        }
        if self.clients() >= max_clients {
            return Err(SubscribeError::Full { max_clients });
        }
        Ok(self.free_places.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() - 1
        }))
    }

    /// Frees a place. The waker it held is handed back, to be dropped without the lock.
    pub(super) fn leave(&mut self, place: usize) -> Option<Waker> {
        self.free_places.push(place);
        self.places[place].take()
    }

    /// Has the client at `place` woken by the next change.
    pub(super) fn wait(&mut self, place: usize, waker: &Waker) {
        match &mut self.places[place] {
            Some(known) => known.clone_from(waker),
            empty => *empty = Some(waker.clone()),
        }
    }
}
