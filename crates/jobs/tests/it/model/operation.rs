//! What may happen to an engine, drawn at random.

use std::num::NonZeroU32;
use std::time::Duration;

use paceline_jobs::engine::Ending;
use paceline_jobs::{
    Backoff, ChildFailure, Deduplication, GroupName, JobOptions, QueueSettings, Retention,
    StartLimit,
};
use proptest::prelude::*;

use super::Store;
use crate::store::raw;

/// A job to be added.
#[derive(Debug, Clone)]
pub(crate) struct Spec {
    pub(crate) queue: usize,
    pub(crate) priority: u32,
    pub(crate) delay: Duration,
    pub(crate) attempts: u32,
    pub(crate) backoff: Option<Duration>,
    pub(crate) lifo: bool,
    pub(crate) group: Option<u8>,
    /// Not kept once it ended.
    pub(crate) fleeting: bool,
    pub(crate) failure: ChildFailure,
    pub(crate) deduplication: Option<(u8, Mode)>,
    pub(crate) children: Vec<Spec>,
}

/// How an add is deduplicated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Simple,
    Throttle,
    Extend,
    Replace,
    Debounce,
    KeepLast,
}

/// How long a throttled id is held.
pub(crate) const TTL: Duration = Duration::from_secs(7);

impl Spec {
    pub(crate) fn options(&self, id: &str) -> JobOptions {
        let mut options = JobOptions::new()
            .id(id)
            .unwrap()
            .priority(self.priority)
            .delay(self.delay)
            .attempts(self.attempts)
            .on_failure(self.failure);
        if let Some(wait) = self.backoff {
            options = options.backoff(Backoff::fixed(wait));
        }
        if self.lifo {
            options = options.lifo();
        }
        if let Some(group) = self.group {
            options = options.group(GroupName::new(format!("g{group}")).unwrap());
        }
        if self.fleeting {
            options = options
                .keep_completed(Retention::NONE)
                .keep_failed(Retention::NONE);
        }
        if let Some((id, mode)) = self.deduplication {
            options = options.deduplication(mode.options(id));
        }
        options
    }
}

impl Mode {
    fn options(self, id: u8) -> Deduplication {
        let simple = Deduplication::simple(format!("d{id}")).unwrap();
        match self {
            Self::Simple => simple,
            Self::Throttle => simple.ttl(TTL),
            Self::Extend => simple.ttl(TTL).extend(),
            Self::Replace => simple.ttl(TTL).replace(),
            Self::Debounce => simple.ttl(TTL).extend().replace(),
            Self::KeepLast => simple.keep_last_if_active(),
        }
    }
}

/// How an attempt ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Complete,
    Fail { retryable: bool },
    Postpone(Duration),
    WaitForChildren,
    HandBack,
}

impl End {
    pub(crate) fn ending(self) -> Ending {
        match self {
            Self::Complete => Ending::Completed { result: raw(1) },
            Self::Fail { retryable } => Ending::Failed {
                error: "it broke".to_owned(),
                retryable,
                wait: None,
            },
            Self::Postpone(wait) => Ending::Postponed(wait),
            Self::WaitForChildren => Ending::WaitForChildren,
            Self::HandBack => Ending::HandedBack,
        }
    }
}

/// One operation. Jobs and leases are chosen by a number, modulo how many there are.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    Add(Spec),
    AddFlow(Spec),
    AddChildren(usize, Vec<Spec>),
    Claim {
        queue: usize,
        max: usize,
    },
    Finish(usize, End),
    Retry(usize),
    Promote(usize),
    Remove(usize),
    Pause {
        queue: usize,
        paused: bool,
    },
    Set {
        queue: usize,
        settings: QueueSettings,
    },
    Pass(Duration),
    Sweep,
}

pub(crate) const QUEUES: usize = 2;

fn seconds(choices: &'static [u64]) -> impl Strategy<Value = Duration> {
    prop::sample::select(choices).prop_map(Duration::from_secs)
}

fn node(children: impl Strategy<Value = Vec<Spec>>) -> impl Strategy<Value = Spec> {
    let failure = prop::sample::select(
        &[
            ChildFailure::ParentWaits,
            ChildFailure::FailParent,
            ChildFailure::ContinueParent,
            ChildFailure::IgnoreDependency,
            ChildFailure::RemoveDependency,
        ][..],
    );
    let run = (
        0..QUEUES,
        prop::sample::select(&[0, 0, 0, 1, 2][..]),
        seconds(&[0, 0, 0, 5]),
        1_u32..3,
        prop::option::weighted(0.3, seconds(&[5])),
        prop::bool::weighted(0.2),
    );
    let place = (
        prop::option::weighted(0.5, 0_u8..2),
        prop::bool::weighted(0.2),
        failure,
        children,
    );
    (run, place).prop_map(|(run, place)| Spec {
        queue: run.0,
        priority: run.1,
        delay: run.2,
        attempts: run.3,
        backoff: run.4,
        lifo: run.5,
        group: place.0.filter(|_| Store::GROUPS),
        fleeting: place.1,
        failure: place.2,
        deduplication: None,
        children: place.3,
    })
}

fn leaf() -> BoxedStrategy<Spec> {
    node(Just(Vec::new())).boxed()
}

fn tree() -> BoxedStrategy<Spec> {
    let middle = prop_oneof![
        3 => leaf(),
        1 => node(prop::collection::vec(leaf(), 1..3)),
    ];
    node(prop::collection::vec(middle, 1..4)).boxed()
}

fn single() -> impl Strategy<Value = Spec> {
    let mode = prop::sample::select(
        &[
            Mode::Simple,
            Mode::Throttle,
            Mode::Extend,
            Mode::Replace,
            Mode::Debounce,
            Mode::KeepLast,
        ][..],
    );
    let deduplication = prop::option::weighted(0.5, (Just(0_u8), mode));
    (leaf(), deduplication).prop_map(|(spec, deduplication)| Spec {
        deduplication,
        ..spec
    })
}

pub(crate) fn settings() -> impl Strategy<Value = QueueSettings> {
    let jobs = || prop::option::weighted(0.4, (1_u32..4).prop_map(|n| NonZeroU32::new(n).unwrap()));
    let rate = || {
        let limit = (1_u32..3, seconds(&[5])).prop_map(|(max, per)| StartLimit {
            max: NonZeroU32::new(max).unwrap(),
            per,
        });
        prop::option::weighted(0.3, limit)
    };
    (jobs(), rate(), jobs(), rate()).prop_map(
        |(concurrency, rate, group_concurrency, group_rate)| {
            QueueSettings::default()
                .concurrency(concurrency)
                .rate(rate)
                .group_concurrency(group_concurrency.filter(|_| Store::GROUPS))
                .group_rate(group_rate.filter(|_| Store::GROUPS))
        },
    )
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        6 => Just(End::Complete),
        3 => any::<bool>().prop_map(|retryable| End::Fail { retryable }),
        1 => seconds(&[0, 5]).prop_map(End::Postpone),
        2 => Just(End::WaitForChildren),
        1 => Just(End::HandBack),
    ]
}

pub(crate) fn operation() -> impl Strategy<Value = Operation> {
    let any_one = || 0_usize..1_000;
    prop_oneof![
        9 => single().prop_map(Operation::Add),
        3 => tree().prop_map(Operation::AddFlow),
        4 => (any_one(), prop::collection::vec(leaf(), 1..3))
            .prop_map(|(lease, children)| Operation::AddChildren(lease, children)),
        8 => (0..QUEUES, 1_usize..5).prop_map(|(queue, max)| Operation::Claim { queue, max }),
        12 => (any_one(), end()).prop_map(|(lease, end)| Operation::Finish(lease, end)),
        2 => any_one().prop_map(Operation::Retry),
        1 => any_one().prop_map(Operation::Promote),
        2 => any_one().prop_map(Operation::Remove),
        1 => (0..QUEUES, any::<bool>())
            .prop_map(|(queue, paused)| Operation::Pause { queue, paused }),
        2 => (0..QUEUES, settings())
            .prop_map(|(queue, settings)| Operation::Set { queue, settings }),
        3 => seconds(&[1, 5, 31]).prop_map(Operation::Pass),
        2 => Just(Operation::Sweep),
    ]
}
