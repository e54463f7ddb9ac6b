//! The model: jobs and queues in memory, moved by the crate's own state machine. Slow and simple: what is
//! counted is counted anew each time.

use std::collections::BTreeMap;
use std::time::Duration;

use paceline_jobs::state::{Change, JobFacts, Place, Trigger, decide, initial};
use paceline_jobs::{Backoff, ChildFailure, QueueSettings, StartLimit, State, Timestamp};

use super::Store;
use super::operation::{End, Mode, QUEUES, Spec, TTL};
use crate::store::LEASE;

const STALL_LIMIT: u32 = 1;

/// How a child stands with its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Child {
    Pending,
    Completed,
    Ignored,
    Failed,
}

#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) spec: Spec,
    pub(crate) exists: bool,
    pub(crate) facts: JobFacts,
    pub(crate) starts: u32,
    pub(crate) parent: Option<usize>,
    pub(crate) children: BTreeMap<usize, Child>,
    position: i64,
    /// The order in which jobs came into being.
    seq: i64,
    lease_until: Timestamp,
    deferred: bool,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Queue {
    pub(crate) known: bool,
    pub(crate) paused: bool,
    pub(crate) settings: QueueSettings,
    window: Window,
    ungrouped_turn: i64,
    groups: BTreeMap<u8, (i64, Window)>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Window {
    until: i64,
    used: u64,
}

impl Window {
    fn left(self, limit: Option<StartLimit>, now: Timestamp) -> u64 {
        let Some(limit) = limit else { return u64::MAX };
        let max = u64::from(limit.max.get());
        if now.as_millis() < self.until {
            max.saturating_sub(self.used)
        } else {
            max
        }
    }

    fn count(&mut self, limit: Option<StartLimit>, now: Timestamp) {
        let Some(limit) = limit else { return };
        if now.as_millis() >= self.until {
            self.until = now.saturating_add(limit.per).as_millis();
            self.used = 0;
        }
        self.used += 1;
    }
}

#[derive(Debug, Clone)]
struct Holder {
    job: usize,
    expires_at: Option<Timestamp>,
    next: Option<usize>,
}

/// Everything there is. Jobs are known by their number, in the order they were asked for.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) now: Timestamp,
    pub(crate) jobs: Vec<Job>,
    pub(crate) queues: [Queue; QUEUES],
    holders: BTreeMap<(usize, u8), Holder>,
    /// Places at the end and at the front of lines, and turns.
    tail: i64,
    front: i64,
}

impl World {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            now,
            jobs: Vec::new(),
            queues: Default::default(),
            holders: BTreeMap::new(),
            tail: 0,
            front: 0,
        }
    }

    fn next_tail(&mut self) -> i64 {
        self.tail += 1;
        self.tail
    }

    /// Jobs of one queue in one state.
    pub(crate) fn count(&self, queue: usize, state: State) -> u64 {
        let counts = |job: &&Job| job.exists && job.spec.queue == queue && job.facts.state == state;
        self.jobs.iter().filter(counts).count() as u64
    }

    fn of_group(
        &self,
        queue: usize,
        group: Option<u8>,
        what: impl Fn(State) -> bool,
    ) -> Vec<usize> {
        let fits = |&at: &usize| {
            let job = &self.jobs[at];
            job.exists
                && job.spec.queue == queue
                && job.spec.group == group
                && what(job.facts.state)
        };
        let mut found: Vec<usize> = (0..self.jobs.len()).filter(fits).collect();
        found.sort_by_key(|&at| (self.jobs[at].facts.priority, self.jobs[at].position));
        found
    }

    // ---- adding ----

    /// Takes a number for a job that may or may not come into being.
    fn reserve(&mut self, spec: &Spec) -> usize {
        let facts = JobFacts {
            state: State::Waiting,
            priority: spec.priority,
            attempts_made: 0,
            max_attempts: spec.attempts,
            stalls: 0,
            due_at: None,
            backoff: spec.backoff.map(Backoff::fixed),
            lifo: spec.lifo,
        };
        self.jobs.push(Job {
            spec: spec.clone(),
            exists: false,
            facts,
            starts: 0,
            parent: None,
            children: BTreeMap::new(),
            position: 0,
            seq: 0,
            lease_until: self.now,
            deferred: false,
        });
        self.jobs.len() - 1
    }

    fn insert(&mut self, at: usize, parent: Option<usize>) {
        let spec = self.jobs[at].spec.clone();
        let has_children = !spec.children.is_empty();
        let (state, due_at) = initial(spec.priority, spec.delay, has_children, self.now);
        self.queues[spec.queue].known = true;
        let position = if spec.lifo {
            self.front -= 1;
            self.front
        } else {
            self.next_tail()
        };
        let before = self.ready_of(spec.queue, spec.group);
        let seq = self.next_tail();
        let job = &mut self.jobs[at];
        job.seq = seq;
        job.exists = true;
        job.parent = parent;
        job.position = position;
        (job.facts.state, job.facts.due_at) = (state, due_at);
        self.became_ready(spec.queue, spec.group, before);
    }

    /// Adds a job; gives the one that stands for it and whether that was there before.
    pub(crate) fn add(&mut self, spec: &Spec) -> (usize, bool) {
        let at = self.reserve(spec);
        let Some((id, mode)) = spec.deduplication else {
            self.insert(at, None);
            return (at, false);
        };
        let key = (spec.queue, id);
        let ttl = (!matches!(mode, Mode::Simple | Mode::KeepLast)).then_some(TTL);
        let until = ttl.map(|ttl| self.now.saturating_add(ttl));
        let mut expires_at = until;
        if let Some(holder) = self.holder(key) {
            let held = &self.jobs[holder.job];
            let state = held.exists.then_some(held.facts.state);
            let replaces = matches!(mode, Mode::Replace | Mode::Debounce);
            if mode == Mode::KeepLast && state == Some(State::Active) {
                let kept = self.holders.get_mut(&key).expect("it was found");
                (kept.next, kept.expires_at) = (Some(at), None);
                return (holder.job, true);
            } else if replaces && state == Some(State::Delayed) {
                self.remove(holder.job)
                    .expect("a delayed job can be removed");
                if mode == Mode::Replace {
                    expires_at = holder.expires_at;
                }
            } else {
                // An add that is kept must find the id held when the holder ends.
                if matches!(mode, Mode::Extend | Mode::Debounce) && holder.next.is_none() {
                    self.holders.get_mut(&key).expect("it was found").expires_at = until;
                }
                return (holder.job, true);
            }
        }
        self.insert(at, None);
        self.holders.insert(
            key,
            Holder {
                job: at,
                expires_at,
                next: None,
            },
        );
        (at, false)
    }

    /// Who holds the id now.
    fn holder(&self, key: (usize, u8)) -> Option<Holder> {
        let holder = self.holders.get(&key)?.clone();
        let job = &self.jobs[holder.job];
        match holder.expires_at {
            Some(end) => (end > self.now).then_some(holder),
            None => (job.exists && !job.facts.state.is_finished()).then_some(holder),
        }
    }

    /// Adds a tree; gives the number of its first job. The others follow, each before its children.
    pub(crate) fn add_flow(&mut self, spec: &Spec, parent: Option<usize>) -> usize {
        let at = self.reserve(spec);
        self.insert(at, parent);
        for child in &spec.children {
            let child = self.add_flow(child, Some(at));
            self.jobs[at].children.insert(child, Child::Pending);
        }
        at
    }

    /// Adds children to a job under a lease; gives the number of the first, or nothing.
    pub(crate) fn add_children(&mut self, lease: (usize, u32), children: &[Spec]) -> Option<usize> {
        let first = self.jobs.len();
        if !self.holds(lease) {
            for child in children {
                self.reserve(child);
            }
            return None;
        }
        for child in children {
            let child = self.add_flow(child, Some(lease.0));
            self.jobs[lease.0].children.insert(child, Child::Pending);
        }
        Some(first)
    }

    // ---- changing ----

    fn ready_of(&self, queue: usize, group: Option<u8>) -> usize {
        self.of_group(queue, group, State::is_ready).len()
    }

    fn became_ready(&mut self, queue: usize, group: Option<u8>, before: usize) {
        if let Some(name) = group
            && before == 0
            && self.ready_of(queue, group) > 0
        {
            let turn = self.next_tail();
            self.queues[queue].groups.entry(name).or_default().0 = turn;
        }
    }

    fn apply(&mut self, at: usize, change: &Change) {
        let spec = self.jobs[at].spec.clone();
        let before = self.ready_of(spec.queue, spec.group);
        let from = self.jobs[at].facts.state;
        let to = change.state;
        let place = match (change.place, to) {
            (_, None | Some(State::Completed | State::Failed)) | (Place::Keep, _) => None,
            (Place::Tail, _) => Some(self.next_tail()),
            (Place::Front, _) => {
                self.front -= 1;
                Some(self.front)
            }
        };
        let ended = to.is_none_or(State::is_finished);
        let kept = to.is_some() && !(ended && spec.fleeting);
        let job = &mut self.jobs[at];
        job.exists = kept;
        job.deferred = false;
        job.position = place.unwrap_or(job.position);
        job.facts.state = to.unwrap_or(from);
        job.facts.due_at = change.due_at;
        job.facts.attempts_made = change.attempts_made;
        job.facts.stalls = change.stalls;
        self.became_ready(spec.queue, spec.group, before);
        if let Some((id, _)) = spec.deduplication
            && ended
        {
            self.release((spec.queue, id), at, to.is_none());
        }
        self.tell_parent(at, from, to, kept);
    }

    fn release(&mut self, key: (usize, u8), at: usize, removed: bool) {
        let Some(holder) = self.holders.get(&key).filter(|holder| holder.job == at) else {
            return;
        };
        if !removed && holder.expires_at.is_some_and(|end| end > self.now) {
            return;
        }
        let next = holder.next;
        self.holders.remove(&key);
        if let Some(next) = next {
            self.insert(next, None);
            let expires_at = None;
            self.holders.insert(
                key,
                Holder {
                    job: next,
                    expires_at,
                    next: None,
                },
            );
        }
    }

    fn tell_parent(&mut self, at: usize, from: State, to: Option<State>, kept: bool) {
        let parent = self.jobs[at].parent;
        let Some(parent) = parent.filter(|&parent| self.jobs[parent].exists) else {
            return;
        };
        let failure = self.jobs[at].spec.failure;
        let children = &mut self.jobs[parent].children;
        match to {
            Some(State::Failed) if kept && failure == ChildFailure::ParentWaits => return,
            None | Some(State::Completed | State::Failed) => {
                if children.get(&at) == Some(&Child::Pending) {
                    match ended_as(to, failure) {
                        Some(outcome) => children.insert(at, outcome),
                        None => children.remove(&at),
                    };
                }
            }
            Some(_) if from == State::Failed => {
                children.insert(at, Child::Pending);
                return;
            }
            Some(_) => return,
        }
        let done = !children.values().any(|child| *child == Child::Pending);
        let failure = (to == Some(State::Failed)).then_some(failure);
        let trigger = match failure {
            Some(ChildFailure::FailParent) => Trigger::ChildFailed,
            Some(ChildFailure::ContinueParent) => Trigger::ChildrenDone,
            _ if done => Trigger::ChildrenDone,
            _ => return,
        };
        let active = self.jobs[parent].facts.state == State::Active;
        if trigger == Trigger::ChildFailed && active {
            self.jobs[parent].deferred = true;
        } else if let Ok(change) = decide(&self.jobs[parent].facts, trigger, self.now) {
            self.apply(parent, &change);
        }
    }

    // ---- working ----

    fn promote_due(&mut self, queue: usize) {
        let fits = |&at: &usize| {
            let job = &self.jobs[at];
            job.exists && job.spec.queue == queue && job.facts.state == State::Delayed
        };
        let mut due: Vec<usize> = (0..self.jobs.len()).filter(fits).collect();
        due.sort_by_key(|&at| (self.jobs[at].facts.due_at, self.jobs[at].position));
        for at in due {
            if let Ok(change) = decide(&self.jobs[at].facts, Trigger::Due, self.now) {
                self.apply(at, &change);
            }
        }
    }

    /// Takes jobs, in order. `chosen` are those an engine took that knows places less exactly: they are taken
    /// as far as they are ready.
    pub(crate) fn claim(&mut self, queue: usize, max: usize, chosen: &[usize]) -> Vec<usize> {
        self.promote_due(queue);
        let mut taken = Vec::new();
        let settings = self.queues[queue].settings;
        while taken.len() < max && !self.queues[queue].paused {
            let full = |bound: Option<std::num::NonZeroU32>, active: u64| {
                bound.is_some_and(|bound| active >= u64::from(bound.get()))
            };
            let rate = self.queues[queue].window.left(settings.rate, self.now);
            if rate == 0 || full(settings.concurrency, self.count(queue, State::Active)) {
                break;
            }
            let open = |&(group, (_, window)): &(u8, (i64, Window))| {
                let active = self.of_group(queue, Some(group), |state| state == State::Active);
                !full(settings.group_concurrency, active.len() as u64)
                    && window.left(settings.group_rate, self.now) > 0
                    && self.ready_of(queue, Some(group)) > 0
            };
            let groups = self.queues[queue].groups.clone().into_iter();
            let mut lines: Vec<(i64, Option<u8>)> = groups
                .filter(open)
                .map(|(group, (turn, _))| (turn, Some(group)))
                .collect();
            if self.ready_of(queue, None) > 0 {
                lines.push((self.queues[queue].ungrouped_turn, None));
            }
            let Some((_, line)) = lines.into_iter().min() else {
                break;
            };
            let chosen = chosen.get(taken.len()).copied();
            taken.push(self.start(queue, line, chosen));
        }
        taken
    }

    fn start(&mut self, queue: usize, line: Option<u8>, chosen: Option<usize>) -> usize {
        let ready = self.of_group(queue, line, State::is_ready);
        let equal = |at: &usize| {
            let priority = |at: usize| self.jobs[at].facts.priority;
            ready.contains(at) && priority(*at) == priority(ready[0])
        };
        let at = chosen.filter(equal).unwrap_or(ready[0]);
        let grouped = (0_u8..9).any(|group| self.ready_of(queue, Some(group)) > 0);
        let change = decide(&self.jobs[at].facts, Trigger::Claim, self.now);
        let job = &mut self.jobs[at];
        job.facts.state = change.expect("it is ready").state.expect("it stays");
        job.starts += 1;
        job.lease_until = self.now.saturating_add(LEASE);
        let turn = self.next_tail();
        let now = self.now;
        let queue = &mut self.queues[queue];
        queue.window.count(queue.settings.rate, now);
        match line {
            Some(group) => {
                let group = queue.groups.entry(group).or_default();
                group.0 = turn;
                group.1.count(queue.settings.group_rate, now);
            }
            // Turns are counted only among others.
            None if grouped => queue.ungrouped_turn = turn,
            None => {}
        }
        at
    }

    /// Whether the lease is still the right to its job.
    pub(crate) fn holds(&self, (at, start): (usize, u32)) -> bool {
        let job = &self.jobs[at];
        let in_time = Store::LATE_WORD_COUNTS || self.now < job.lease_until;
        job.exists && job.facts.state == State::Active && job.starts == start && in_time
    }

    /// Ends an attempt; nothing when the lease is lost.
    pub(crate) fn finish(&mut self, lease: (usize, u32), end: End) -> Option<State> {
        let at = lease.0;
        if !self.holds(lease) {
            return None;
        }
        let fail = |retryable| Trigger::Fail {
            retryable,
            wait: None,
            random: 0.5,
        };
        let trigger = match end {
            _ if self.jobs[at].deferred => fail(false),
            End::Complete => Trigger::Complete,
            End::Fail { retryable } => fail(retryable),
            End::Postpone(wait) => Trigger::Postpone(wait),
            End::WaitForChildren => Trigger::WaitForChildren,
            End::HandBack => Trigger::HandBack,
        };
        let change = decide(&self.jobs[at].facts, trigger, self.now).expect("it is active");
        self.apply(at, &change);
        let job = &self.jobs[at];
        let waits = job.children.values().any(|child| *child == Child::Pending);
        if change.state == Some(State::WaitingChildren) && !waits {
            let facts = JobFacts {
                due_at: None,
                ..job.facts
            };
            let change = decide(&facts, Trigger::ChildrenDone, self.now).expect("it waits");
            self.apply(at, &change);
            return change.state;
        }
        change.state
    }

    /// Recovers lost leases; gives how many wait again and how many failed.
    pub(crate) fn sweep(&mut self) -> (usize, usize) {
        let lost = |&at: &usize| {
            let job = &self.jobs[at];
            job.exists && job.facts.state == State::Active && job.lease_until <= self.now
        };
        let mut lost: Vec<usize> = (0..self.jobs.len()).filter(lost).collect();
        lost.sort_by_key(|&at| (self.jobs[at].lease_until, self.jobs[at].seq));
        let mut report = (0, 0);
        for at in lost {
            let trigger = if self.jobs[at].deferred {
                Trigger::Fail {
                    retryable: false,
                    wait: None,
                    random: 0.5,
                }
            } else {
                Trigger::Stall { limit: STALL_LIMIT }
            };
            let Ok(change) = decide(&self.jobs[at].facts, trigger, self.now) else {
                continue;
            };
            self.apply(at, &change);
            if change.state == Some(State::Failed) {
                report.1 += 1;
            } else {
                report.0 += 1;
            }
        }
        report
    }

    fn manage(&mut self, at: usize, trigger: Trigger) -> Result<(), Option<State>> {
        let job = &self.jobs[at];
        if !job.exists {
            return Err(None);
        }
        let change = decide(&job.facts, trigger, self.now).map_err(|wrong| Some(wrong.state))?;
        self.apply(at, &change);
        Ok(())
    }

    pub(crate) fn retry(&mut self, at: usize) -> Result<(), Option<State>> {
        self.manage(at, Trigger::Retry)
    }

    pub(crate) fn promote(&mut self, at: usize) -> Result<(), Option<State>> {
        self.manage(at, Trigger::Promote)
    }

    pub(crate) fn remove(&mut self, at: usize) -> Result<(), Option<State>> {
        self.manage(at, Trigger::Remove)
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.now = self.now.saturating_add(time);
    }
}

/// What a parent keeps of a child that ended or was removed.
fn ended_as(to: Option<State>, failure: ChildFailure) -> Option<Child> {
    match (to, failure) {
        (Some(State::Completed), _) => Some(Child::Completed),
        (Some(State::Failed), ChildFailure::FailParent) => Some(Child::Failed),
        (Some(State::Failed), ChildFailure::ContinueParent | ChildFailure::IgnoreDependency) => {
            Some(Child::Ignored)
        }
        _ => None,
    }
}
