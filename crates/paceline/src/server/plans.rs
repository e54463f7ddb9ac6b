//! Plans by the text of their requests: parsing and planning the same request again gives the same plan.

use std::sync::Arc;

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
pub(super) struct Plans<P>(Cache<Box<str>, Known<P>, TextWeight>);

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
        Self(Cache::with_weighter(EXPECTED, BUDGET, TextWeight))
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
        let known = self.0.get(text);
        if let Some(Known::Plan(planned)) = known {
            return Ok(planned);
        }
        let viewer = viewer();
        let own = own_text(viewer.as_ref(), text);
        if known.is_some()
            && let Some(Known::Plan(planned)) = self.0.get(&*own)
        {
            return Ok(planned);
        }
        let plan = plan(viewer)?;
        let text = if plan.is_personal() {
            self.0.insert(text.into(), Known::Personal);
            own.as_str()
        } else {
            text
        };
        let mut key = Vec::with_capacity(text.len() + 1);
        key.push(kind);
        key.extend_from_slice(text.as_bytes());
        let planned = Arc::new(Planned {
            plan,
            key: key.into(),
        });
        self.0
            .insert(text.into(), Known::Plan(Arc::clone(&planned)));
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
    fn a_text_is_planned_once_and_errors_are_not_kept() {
        let plans: Plans<u32> = Plans::new();
        let get = |text: &str, plan: Result<u32, ()>| {
            let plan = plan.map_err(|()| Problem::bad_request("no"));
            plans.get(text, 0, || None, |_| plan)
        };
        assert!(get("/a?x=1", Err(())).is_err());
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
        let (ada, bob) = (get(Some("ada"), 1), get(Some("bob"), 3));
        assert_eq!((ada.0, bob.0), (1, 3));
        assert_ne!(ada.1, bob.1, "and so are their answers");
        assert_eq!(get(Some("ada"), 5), ada);
        assert_eq!(get(Some("bob"), 5), bob);
        assert_eq!(get(None, 7).0, 7);
        assert_eq!(get(None, 9).0, 7);
    }

    #[test]
    fn no_two_viewers_share_a_text() {
        let own = |viewer: &str, text: &str| own_text(Some(&Principal::new(viewer)), text);
        assert_ne!(own("a", "/b"), own("a/b", ""));
        assert_ne!(own("1", "/1:2/x"), own("1/1:2", "/x"));
        assert_ne!(own("obody:", "/x"), own_text(None, "/x"));
    }
}
