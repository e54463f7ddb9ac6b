//! Plans by the text of their requests: parsing and planning the same request again gives the same plan.
//!
//! A plan is kept from the second time on. Kept at once, plans of requests that never come again would push each other
//! through the cache's whole memory, which costs more than the planning.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use paceline_data::Principal;
use paceline_data::plan::{ListPlan, OnePlan};
use paceline_http::problem::Problem;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

/// Bytes of requests and plans kept, about.
const BUDGET: u64 = 8 * 1024 * 1024;
/// What one plan takes besides its request's text, about.
const PLAN_WEIGHT: u64 = 1024;
/// How many plans fit, about: sizes the table.
const EXPECTED: usize = 4096;
/// How many requests that were seen once are remembered, about.
const SEEN: usize = 2 * EXPECTED;

/// A plan and the key under which its answer is kept.
#[derive(Debug)]
pub(super) struct Planned<P> {
    pub(super) plan: P,
    pub(super) key: Box<[u8]>,
}

/// Whether the answer of a plan is its viewer's own.
pub(super) trait Personal {
    fn is_personal(&self) -> bool;
}

impl Personal for ListPlan {
    fn is_personal(&self) -> bool {
        self.is_personal
    }
}

impl Personal for OnePlan {
    fn is_personal(&self) -> bool {
        self.is_personal
    }
}

/// What is known of a request's text.
#[derive(Debug)]
enum Known<P> {
    /// One plan for all, or that of the viewer in the text.
    Plan(Arc<Planned<P>>),
    /// Each viewer has a plan of their own.
    Personal,
}

impl<P> Clone for Known<P> {
    fn clone(&self) -> Self {
        match self {
            Self::Plan(planned) => Self::Plan(Arc::clone(planned)),
            Self::Personal => Self::Personal,
        }
    }
}

/// The plans of one kind of request. Schema and resources never change while it lives.
#[derive(Debug)]
pub(super) struct Plans<P> {
    kept: Cache<Box<str>, Known<P>, TextWeight>,
    seen: Seen,
}

/// Which texts were seen lately, as far as there is room to remember: a newer one may take an older one's place, and
/// one in four thousand million is mistaken for another.
#[derive(Debug)]
struct Seen {
    hasher: RandomState,
    marks: Box<[AtomicU32]>,
}

impl Seen {
    fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            marks: (0..SEEN).map(|_| AtomicU32::new(0)).collect(),
        }
    }

    /// Whether the text was seen before; from now on it was.
    fn again(&self, text: &str) -> bool {
        let [a, b, c, d, place @ ..] = self.hasher.hash_one(text).to_ne_bytes();
        let mark = u32::from_ne_bytes([a, b, c, d]);
        let place = u32::from_ne_bytes(place) as usize % self.marks.len();
        // Nothing else depends on it.
        self.marks[place].swap(mark, Ordering::Relaxed) == mark
    }
}

#[derive(Debug, Clone)]
struct TextWeight;

impl<P> Weighter<Box<str>, Known<P>> for TextWeight {
    fn weight(&self, text: &Box<str>, known: &Known<P>) -> u64 {
        let key = match known {
            Known::Plan(planned) => planned.key.len(),
            Known::Personal => 0,
        };
        PLAN_WEIGHT + (text.len() + key) as u64
    }
}

impl<P: Personal> Plans<P> {
    pub(super) fn new() -> Self {
        Self {
            kept: Cache::with_weighter(EXPECTED, BUDGET, TextWeight),
            seen: Seen::new(),
        }
    }

    /// The plan of the request with this text (path and query). `kind` tells requests apart that have the
    /// same text but other answers, by media type say. Where the answer is its viewer's own, so are the plan and the
    /// key: `viewer` says who that is, asked only where it matters.
    pub(super) fn get(
        &self,
        text: &str,
        kind: u8,
        viewer: impl FnOnce() -> Option<Principal>,
        plan: impl FnOnce(Option<Principal>) -> Result<P, Problem>,
    ) -> Result<Arc<Planned<P>>, Problem> {
        let known = self.kept.get(text);
        if let Some(Known::Plan(planned)) = known {
            return Ok(planned);
        }
        let viewer = viewer();
        let own = own_text(viewer.as_ref(), text);
        if known.is_some()
            && let Some(Known::Plan(planned)) = self.kept.get(&*own)
        {
            return Ok(planned);
        }
        let plan = plan(viewer)?;
        let is_personal = plan.is_personal();
        let is_kept = self.seen.again(if known.is_some() { &own } else { text });
        if is_kept && is_personal {
            self.kept.insert(text.into(), Known::Personal);
        }
        let text = if is_personal { own.as_str() } else { text };
        let mut key = Vec::with_capacity(text.len() + 1);
        key.push(kind);
        key.extend_from_slice(text.as_bytes());
        let planned = Arc::new(Planned {
            plan,
            key: key.into(),
        });
        if is_kept {
            self.kept
                .insert(text.into(), Known::Plan(Arc::clone(&planned)));
        }
        Ok(planned)
    }
}

/// The text of a viewer's own request: no request's text begins like this, for a path begins with a slash. The length
/// keeps two viewers apart whatever they are called.
fn own_text(viewer: Option<&Principal>, text: &str) -> String {
    match viewer {
        Some(viewer) => format!("{}:{viewer}{text}", viewer.as_str().len()),
        None => format!("nobody:{text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Odd numbers are somebody's own.
    impl Personal for u32 {
        fn is_personal(&self) -> bool {
            self % 2 == 1
        }
    }

    #[test]
    fn a_plan_is_kept_from_the_second_time_on_and_errors_are_not() {
        let plans: Plans<u32> = Plans::new();
        let get = |text: &str, plan: Result<u32, ()>| {
            let plan = plan.map_err(|()| Problem::bad_request("no"));
            plans.get(text, 0, || None, |_| plan)
        };
        assert!(get("/a?x=1", Err(())).is_err());
        assert_eq!(get("/a?x=1", Ok(4)).unwrap().plan, 4);
        assert_eq!(get("/a?x=1", Ok(6)).unwrap().plan, 6);
        assert_eq!(get("/a?x=1", Ok(8)).unwrap().plan, 6);
        assert_eq!(get("/a?x=2", Ok(8)).unwrap().plan, 8);
    }

    #[test]
    fn what_is_somebodys_own_is_planned_and_kept_for_each() {
        let plans: Plans<u32> = Plans::new();
        let get = |viewer: Option<&str>, number: u32| {
            let viewer = viewer.map(Principal::new);
            let planned = plans.get("/a", 0, || viewer, |_| Ok(number)).unwrap();
            (planned.plan, planned.key.clone())
        };
        for viewer in ["ada", "ada", "bob"] {
            assert_eq!(get(Some(viewer), 11).0, 11);
        }
        let (ada, bob) = (get(Some("ada"), 1), get(Some("bob"), 3));
        assert_eq!((ada.0, bob.0), (11, 3));
        assert_ne!(ada.1, bob.1, "and so are their answers");
        assert_eq!(get(Some("ada"), 5), ada);
        assert_eq!(get(Some("bob"), 5), bob);
        assert_eq!(get(None, 7).0, 7);
        assert_eq!(get(None, 9).0, 9);
        assert_eq!(get(None, 7).0, 9);
    }

    #[test]
    fn no_two_viewers_share_a_text() {
        let own = |viewer: &str, text: &str| own_text(Some(&Principal::new(viewer)), text);
        assert_ne!(own("a", "/b"), own("a/b", ""));
        assert_ne!(own("1", "/1:2/x"), own("1/1:2", "/x"));
        assert_ne!(own("obody:", "/x"), own_text(None, "/x"));
    }
}
