//! Plans by the text of their requests: parsing and planning the same request again gives the same plan.

use std::sync::Arc;

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

/// The plans of one kind of request. Schema and resources never change while it lives.
#[derive(Debug)]
pub(super) struct Plans<P>(Cache<Box<str>, Arc<Planned<P>>, TextWeight>);

#[derive(Debug, Clone)]
struct TextWeight;

impl<P> Weighter<Box<str>, Arc<Planned<P>>> for TextWeight {
    fn weight(&self, text: &Box<str>, planned: &Arc<Planned<P>>) -> u64 {
        PLAN_WEIGHT + (text.len() + planned.key.len()) as u64
    }
}

impl<P> Plans<P> {
    pub(super) fn new() -> Self {
        Self(Cache::with_weighter(EXPECTED, BUDGET, TextWeight))
    }

    /// The plan of the request with this text (path and query). `kind` tells requests apart that have the
    /// same text but other answers, by media type say.
    pub(super) fn get(
        &self,
        text: &str,
        kind: u8,
        plan: impl FnOnce() -> Result<P, Problem>,
    ) -> Result<Arc<Planned<P>>, Problem> {
        if let Some(known) = self.0.get(text) {
            return Ok(known);
        }
        let mut key = Vec::with_capacity(text.len() + 1);
        key.push(kind);
        key.extend_from_slice(text.as_bytes());
        let planned = Arc::new(Planned {
            plan: plan()?,
            key: key.into(),
        });
        self.0.insert(text.into(), Arc::clone(&planned));
        Ok(planned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_planned_once_and_errors_are_not_kept() {
        let plans: Plans<u32> = Plans::new();
        let refused = plans.get("/a?x=1", 0, || Err(Problem::bad_request("no")));
        assert!(refused.is_err());
        assert_eq!(plans.get("/a?x=1", 0, || Ok(7)).unwrap().plan, 7);
        assert_eq!(plans.get("/a?x=1", 0, || Ok(8)).unwrap().plan, 7);
        assert_eq!(plans.get("/a?x=2", 0, || Ok(8)).unwrap().plan, 8);
    }
}
