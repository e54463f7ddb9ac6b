//! Questions that come while others are under way are asked together, in one call.
//!
//! A question that comes alone is asked at once. While a call is under way, those who come wait until it has ended, at
//! most one round trip, and are then asked with one call. When many wait, a second call is under way beside the first.
//! Nothing waits for a time to pass.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::answer::Answer;
use super::fault::{Kind, RedisFault};
use super::link::Deadline;
use super::question::Question;
use super::servers::Servers;

/// Calls under way at the same time: the server works on one while this process works on the other.
const LANES: usize = 2;
/// Who waits at least for a second call to be worth what it costs.
const WORTH: usize = 16;
/// Questions in one call: what the server does without doing anything else.
const MOST: usize = 64;
/// Who waits at most, before who comes is told that the server does not keep up.
const WAITING: usize = 16_384;

type Told = Result<Answer, RedisFault>;

#[derive(Debug)]
struct Waiting {
    question: Question,
    tell: oneshot::Sender<Told>,
}

#[derive(Debug, Default)]
struct State {
    /// Calls under way.
    busy: usize,
    /// Questions in them.
    asked: usize,
    waiting: VecDeque<Waiting>,
}

impl State {
    /// Whether there is work for a lane, this one counted.
    fn has_work(&self) -> bool {
        let least = if self.busy > 1 { WORTH } else { 1 };
        self.waiting.len() >= least
    }
}

/// Asks the servers.
#[derive(Debug)]
pub(super) struct Gather {
    servers: Servers,
    deadline: Duration,
    state: Mutex<State>,
}

/// How a question goes on.
enum Place {
    /// It is asked now.
    Lane(Lane, Question),
    /// It waits for a lane.
    Waits(oneshot::Receiver<Told>),
}

impl Gather {
    pub(super) fn new(servers: Servers, deadline: Duration) -> Self {
        Self {
            servers,
            deadline,
            state: Mutex::default(),
        }
    }

    /// The answer, or none within the deadline.
    pub(super) async fn ask(self: &Arc<Self>, question: Question) -> Told {
        let deadline = Deadline::after(self.deadline);
        if self.servers.is_cluster() {
            return self.servers.ask_owner(&question, deadline).await;
        }
        match self.place(question)? {
            Place::Lane(lane, question) => {
                let mut told = lane.gather.servers.ask(&[&question], deadline).await;
                told.pop().unwrap_or_else(|| Err(RedisFault::strange()))
            }
            Place::Waits(told) => match deadline.bound(told).await {
                Ok(Ok(told)) => told,
                Ok(Err(_)) => Err(RedisFault(Kind::Stopped)),
                Err(fault) => Err(fault),
            },
        }
    }

    /// Asks for all of them at once, and tells each.
    async fn ask_for(&self, batch: Vec<Waiting>) {
        let questions: Vec<&Question> = batch.iter().map(|waiting| &waiting.question).collect();
        let deadline = Deadline::after(self.deadline);
        let answers = self.servers.ask(&questions, deadline).await;
        for (waiting, told) in batch.into_iter().zip(answers) {
            // Who has gone is not told.
            let _ = waiting.tell.send(told);
        }
    }

    fn place(self: &Arc<Self>, question: Question) -> Result<Place, RedisFault> {
        let mut state = self.state();
        let lane = |asked, end| Lane {
            gather: Arc::clone(self),
            asked,
            end,
        };
        if state.busy == 0 {
            state.busy = 1;
            state.asked += 1;
            return Ok(Place::Lane(lane(1, End::HandsOn), question));
        }
        if state.waiting.len() >= WAITING {
            return Err(RedisFault(Kind::Crowded));
        }
        let (tell, told) = oneshot::channel();
        state.waiting.push_back(Waiting { question, tell });
        if state.busy < LANES && state.waiting.len() >= WORTH {
            state.busy += 1;
            let lane = lane(0, End::Stops);
            drop(state);
            tokio::spawn(lane.serve());
        }
        Ok(Place::Waits(told))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to have a call under way. Whoever drops one leaves it to those who wait.
struct Lane {
    gather: Arc<Gather>,
    /// Questions in the call under way.
    asked: usize,
    /// What becomes of those who wait when it is dropped.
    end: End,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// A task is started for them.
    HandsOn,
    /// Such a task was stopped: nobody asks for them any more, if no other lane is left.
    Stops,
    /// It has been given back; nobody waited for it.
    Over,
}

impl Lane {
    /// Asks for those who wait until nobody does.
    async fn serve(mut self) {
        while let Some(batch) = self.next() {
            self.gather.ask_for(batch).await;
            // Those who were answered and ask again come into the next call.
            tokio::task::yield_now().await;
        }
    }

    /// Who is asked for next: of many, as many as the other lane has under way, so that both are equally long. Those
    /// who have gone are left out, and what they wanted is not counted.
    fn next(&mut self) -> Option<Vec<Waiting>> {
        let gather = Arc::clone(&self.gather);
        let mut state = gather.state();
        state.asked -= self.asked;
        self.asked = 0;
        state.waiting.retain(|waiting| !waiting.tell.is_closed());
        if !state.has_work() {
            // Under the same lock: who comes next finds the lane free.
            state.busy -= 1;
            self.end = End::Over;
            return None;
        }
        let waiting = state.waiting.len();
        let share = if waiting < WORTH {
            waiting
        } else {
            (waiting + state.asked).div_ceil(LANES)
        };
        let count = share.min(MOST).min(waiting);
        self.asked = count;
        state.asked += count;
        Some(state.waiting.drain(..count).collect())
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        if self.end == End::Over {
            return;
        }
        let mut state = self.gather.state();
        state.asked -= self.asked;
        if state.has_work()
            && self.end == End::HandsOn
            && let Ok(runtime) = Handle::try_current()
        {
            drop(state);
            let lane = Self {
                gather: Arc::clone(&self.gather),
                asked: 0,
                end: End::Stops,
            };
            runtime.spawn(lane.serve());
            return;
        }
        state.busy -= 1;
        if state.busy == 0 {
            // The runtime is going. They are told.
            state.waiting.clear();
        }
    }
}
