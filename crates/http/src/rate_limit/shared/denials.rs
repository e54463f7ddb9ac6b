//! Keys that are used up, remembered so that the server need not be asked again and again.

use std::time::Duration;

use quick_cache::sync::Cache;

use super::super::{Exceeded, LimitKey, Timestamp};

/// Denials remembered. When more come, those asked for least are asked of the server again.
const MOST: usize = 65_536;
/// How long the server is not asked at most: what an operator resets there takes effect that soon.
const LONGEST: Duration = Duration::from_mins(1);

#[derive(Debug, Clone)]
struct Denial {
    since: Timestamp,
    until: Timestamp,
    cost: u32,
    exceeded: Exceeded,
}

/// By key and policy number.
#[derive(Debug)]
pub(super) struct Denials(Cache<(LimitKey, usize), Denial>);

impl Denials {
    pub(super) fn new() -> Self {
        Self(Cache::new(MOST))
    }

    /// The refusal of a request of this cost, when it would be refused now.
    pub(super) fn find(
        &self,
        key: LimitKey,
        policy: usize,
        cost: u32,
        now: Timestamp,
    ) -> Option<Exceeded> {
        let denial = self.0.get(&(key, policy))?;
        if now >= denial.until {
            self.0.remove(&(key, policy));
            return None;
        }
        // What costs less may fit earlier.
        let holds = cost >= denial.cost && now >= denial.since;
        holds.then(|| denial.exceeded.aged(now.saturating_since(denial.since)))
    }

    /// Remembers a refusal that was asked for at `since` and holds for `wait`.
    pub(super) fn add(
        &self,
        key: LimitKey,
        policy: usize,
        cost: u32,
        (since, wait): (Timestamp, Duration),
        exceeded: &Exceeded,
    ) {
        let denial = Denial {
            since,
            until: since.saturating_add(wait.min(LONGEST)),
            cost,
            exceeded: exceeded.clone(),
        };
        self.0.insert((key, policy), denial);
    }
}
