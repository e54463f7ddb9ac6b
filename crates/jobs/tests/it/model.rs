//! Random operations on an engine and on a model of it, which must agree: about every answer, the order of
//! what is claimed, the counts, and at the end about each job. Then everything is worked off: no parent may
//! be left that waits for nothing.
//!
//! `PROPTEST_CASES` says how many sequences are tried.

#[path = "model/operation.rs"]
mod operation;
#[path = "model/world.rs"]
mod world;

use std::time::Duration;

use paceline_jobs::engine::{ClaimRequest, Finish, Lease};
use paceline_jobs::{
    AddError, EngineHandle, Flow, JobId, LeaseToken, ManageError, QueueName, QueueSettings, State,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError};

use self::operation::{End, Operation, QUEUES, Spec, operation, settings};
use self::world::{Child, World};
use super::Store;
use crate::store::{LEASE, raw};

type Verdict = Result<(), TestCaseError>;

/// An engine and its model.
struct Pair {
    store: Store,
    engine: EngineHandle,
    world: World,
    /// Every lease there ever was, and the model's.
    leases: Vec<(Lease, (usize, u32))>,
}

fn name(queue: usize) -> QueueName {
    QueueName::new(format!("q{queue}")).unwrap()
}

fn id(job: usize) -> JobId {
    JobId::custom(format!("j{job}")).unwrap()
}

fn number(id: &JobId) -> usize {
    id.as_str()[1..].parse().unwrap()
}

/// The flow of `spec`, whose jobs get the numbers from `next` on.
fn flow(spec: &Spec, next: &mut usize) -> Flow {
    let options = spec.options(id(*next).as_str());
    *next += 1;
    let node = Flow::new(name(spec.queue), "n", &1, options).unwrap();
    spec.children
        .iter()
        .fold(node, |node, child| node.child(flow(child, next)))
}

fn refused(answer: Result<(), ManageError>) -> Result<(), Option<State>> {
    answer.map_err(|error| match error {
        ManageError::NotFound => None,
        ManageError::WrongState(state) => Some(state),
        other => panic!("{other}"),
    })
}

impl Pair {
    fn new() -> Self {
        let store = Store::by_hand();
        let engine = store.engine.clone();
        let world = World::new(engine.now());
        Self {
            store,
            engine,
            world,
            leases: Vec::new(),
        }
    }

    /// A lease that holds, mostly; now and then any.
    fn lease(&self, choice: usize) -> Option<(Lease, (usize, u32))> {
        let mut leases: Vec<_> = self.leases.iter().collect();
        if !choice.is_multiple_of(8) {
            leases.retain(|(_, of)| self.world.holds(*of));
        }
        let at = (choice / 8).checked_rem(leases.len())?;
        Some(leases[at].clone())
    }

    async fn run(&mut self, operation: &Operation) -> Verdict {
        match operation {
            Operation::Add(spec) => self.add(spec).await?,
            Operation::AddFlow(spec) => {
                let mut next = self.world.jobs.len();
                let added = self.engine.add_flow(flow(spec, &mut next)).await.unwrap();
                let first = self.world.add_flow(spec, None);
                prop_assert_eq!(number(&added.job.id), first);
            }
            Operation::AddChildren(lease, children) => self.add_children(*lease, children).await?,
            Operation::Claim { queue, max } => drop(self.claim(*queue, *max).await?),
            Operation::Finish(lease, end) => {
                if let Some(lease) = self.lease(*lease) {
                    self.end(lease, *end).await?;
                }
            }
            Operation::Retry(job) => self.manage(*job, "retry").await?,
            Operation::Promote(job) => self.manage(*job, "promote").await?,
            Operation::Remove(job) => self.manage(*job, "remove").await?,
            Operation::Pause { queue, paused } => self.pause(*queue, *paused).await,
            Operation::Set { queue, settings } => self.set(*queue, *settings).await,
            Operation::Pass(time) => {
                self.store.pass(*time);
                self.world.pass(*time);
            }
            Operation::Sweep => {
                let report = self.engine.sweep().await.unwrap();
                let expected = self.world.sweep();
                prop_assert_eq!((report.recovered, report.stalled_out), expected);
            }
        }
        self.compare_counts().await
    }

    async fn add(&mut self, spec: &Spec) -> Verdict {
        let at = self.world.jobs.len();
        let queue = self.engine.queue(name(spec.queue)).unwrap();
        let options = spec.options(id(at).as_str());
        let added = queue.add_with("n", &raw(1), options).await.unwrap();
        let expected = self.world.add(spec);
        prop_assert_eq!((number(&added.id), added.existing), expected);
        Ok(())
    }

    async fn add_children(&mut self, lease: usize, children: &[Spec]) -> Verdict {
        let Some((lease, of)) = self.lease(lease) else {
            return Ok(());
        };
        let mut next = self.world.jobs.len();
        let flows = children
            .iter()
            .map(|child| flow(child, &mut next))
            .collect();
        let added = match self.engine.add_children(&lease, flows).await {
            Ok(added) => Some(number(&added[0].job.id)),
            Err(AddError::LeaseLost) => None,
            Err(other) => panic!("{other}"),
        };
        prop_assert_eq!(added, self.world.add_children(of, children));
        Ok(())
    }

    async fn claim(&mut self, queue: usize, max: usize) -> Result<usize, TestCaseError> {
        let request = ClaimRequest {
            queue: name(queue),
            token: LeaseToken::random(),
            max,
            lease_for: LEASE,
        };
        let claimed = self.engine.claim(request).await.unwrap();
        let order: Vec<usize> = claimed
            .jobs
            .iter()
            .map(|job| number(&job.lease.id))
            .collect();
        let chosen = if Store::EXACT_PLACES { &[] } else { &*order };
        let expected = self.world.claim(queue, max, chosen);
        prop_assert_eq!(&order, &expected, "the order of a claim");
        prop_assert_eq!(claimed.paused, self.world.queues[queue].paused);
        for job in &claimed.jobs {
            let at = number(&job.lease.id);
            let known = &self.world.jobs[at];
            let parent = known
                .parent
                .filter(|&parent| self.world.jobs[parent].exists);
            let told = job.parent.as_ref().map(|parent| number(&parent.id));
            prop_assert_eq!(told, parent, "the parent of a claimed job");
            prop_assert_eq!(job.attempt, known.facts.attempts_made + 1);
            prop_assert_eq!(job.lease.start, known.starts);
            self.leases.push((job.lease.clone(), (at, known.starts)));
        }
        Ok(order.len())
    }

    async fn end(&mut self, (lease, of): (Lease, (usize, u32)), end: End) -> Verdict {
        let ending = Finish {
            lease,
            ending: end.ending(),
        };
        let answer = self.engine.finish(vec![ending]).await.unwrap().remove(0);
        prop_assert_eq!(answer.ok(), self.world.finish(of, end));
        Ok(())
    }

    async fn manage(&mut self, job: usize, what: &str) -> Verdict {
        if self.world.jobs.is_empty() {
            return Ok(());
        }
        let at = job % self.world.jobs.len();
        let queue = name(self.world.jobs[at].spec.queue);
        let (answer, expected) = match what {
            "retry" => (
                self.engine.retry(&queue, &id(at)).await,
                self.world.retry(at),
            ),
            "promote" => (
                self.engine.promote(&queue, &id(at)).await,
                self.world.promote(at),
            ),
            _ => (
                self.engine.remove(&queue, &id(at)).await,
                self.world.remove(at),
            ),
        };
        prop_assert_eq!(refused(answer), expected, "{} j{}", what, at);
        Ok(())
    }

    async fn pause(&mut self, queue: usize, paused: bool) {
        let answer = self.engine.set_paused(&name(queue), paused).await;
        answer.unwrap();
        self.world.queues[queue].paused = paused;
    }

    async fn set(&mut self, queue: usize, settings: QueueSettings) {
        let answer = self.engine.set_settings(&name(queue), settings).await;
        answer.unwrap();
        self.world.queues[queue].settings = settings;
    }

    async fn compare_counts(&self) -> Verdict {
        for queue in 0..QUEUES {
            let info = self.engine.info(&name(queue)).await.unwrap();
            let counts = info.map(|info| info.counts).unwrap_or_default();
            for state in State::ALL {
                let expected = self.world.count(queue, state);
                prop_assert_eq!(counts.of(state), expected, "{} in q{}", state, queue);
            }
        }
        Ok(())
    }

    async fn compare_jobs(&self) -> Verdict {
        for (at, known) in self.world.jobs.iter().enumerate() {
            let queue = name(known.spec.queue);
            let found = self.engine.get(&queue, &id(at)).await.unwrap();
            prop_assert_eq!(found.is_some(), known.exists, "j{}", at);
            let Some(found) = found else { continue };
            let facts = &known.facts;
            prop_assert_eq!(found.state, facts.state, "j{}", at);
            // A parent and its child may lose their leases in the same round: which is recovered first is open
            // where places are not exact, and with it whether the parent's attempt stalled or failed.
            let either = !Store::EXACT_PLACES
                && known.children.values().any(|child| *child == Child::Failed);
            if !either {
                prop_assert_eq!(found.attempts_made, facts.attempts_made, "j{}", at);
                prop_assert_eq!(found.stalls, facts.stalls, "j{}", at);
            }
            prop_assert_eq!(found.starts, known.starts, "j{}", at);
            let children = self.engine.children(&queue, &id(at)).await.unwrap();
            let children = children.unwrap();
            let of = |kind: Child| {
                let children = known.children.values();
                children.filter(|child| **child == kind).count()
            };
            prop_assert_eq!(
                (
                    children.pending.len(),
                    children.completed.len(),
                    children.ignored.len(),
                    children.failed.len()
                ),
                (
                    of(Child::Pending),
                    of(Child::Completed),
                    of(Child::Ignored),
                    of(Child::Failed)
                ),
                "children of j{}",
                at
            );
        }
        Ok(())
    }

    /// Ends whatever can be ended, then looks for parents that wait for nothing.
    async fn work_off(&mut self) -> Verdict {
        for queue in 0..QUEUES {
            self.pause(queue, false).await;
            self.set(queue, QueueSettings::default()).await;
        }
        let long = Duration::from_mins(5);
        for _ in 0..200 {
            self.store.pass(long);
            self.world.pass(long);
            let report = self.engine.sweep().await.unwrap();
            prop_assert_eq!((report.recovered, report.stalled_out), self.world.sweep());
            let before = self.leases.len();
            for queue in 0..QUEUES {
                self.claim(queue, 100).await?;
            }
            if self.leases.len() == before {
                break;
            }
            let fresh = self.leases[before..].to_vec();
            for lease in fresh {
                self.end(lease, End::Complete).await?;
            }
        }
        self.compare_counts().await?;
        self.compare_jobs().await?;
        for (at, job) in self.world.jobs.iter().enumerate() {
            if !job.exists || job.facts.state.is_finished() {
                continue;
            }
            prop_assert_eq!(job.facts.state, State::WaitingChildren, "j{} is stuck", at);
            let queue = name(job.spec.queue);
            let children = self.engine.children(&queue, &id(at)).await.unwrap();
            let pending = children.unwrap().pending;
            prop_assert!(!pending.is_empty(), "j{} waits for nothing", at);
            for child in pending {
                let child = self.engine.get(&child.queue, &child.id).await.unwrap();
                let state = child.map(|child| child.state);
                prop_assert!(
                    matches!(state, Some(State::Failed | State::WaitingChildren)),
                    "j{} waits for a child that is {:?}",
                    at,
                    state
                );
            }
        }
        Ok(())
    }
}

fn config() -> Config {
    let mut config = Config {
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..Config::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 64;
    }
    config
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_engine_does_what_the_model_does(
        bounds in prop::option::of((settings(), settings())),
        operations in prop::collection::vec(operation(), 1..120),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut pair = Pair::new();
            if let Some((first, second)) = bounds {
                pair.set(0, first).await;
                pair.set(1, second).await;
            }
            for operation in &operations {
                pair.run(operation).await?;
            }
            pair.compare_jobs().await?;
            pair.work_off().await
        })?;
    }
}
