//! The database as the routes see it: resources and who may use them, answers kept ready.

use std::sync::Arc;

use http::HeaderMap;
use jiff::Timestamp;
use paceline_data::Database;
use paceline_data::cursor::CursorKey;
use paceline_data::plan::{ListPlan, OnePlan};
use paceline_data::resource::{Resource, ResourceId, Resources};
use paceline_data::version::Stamp;
use paceline_http::compression::{CompressionPolicy, Compressor};
use paceline_http::problem::Problem;
use paceline_http::representation::VariantCache;

use super::body::Bounds;
use super::login::{TokenKey, bearer};
use super::plans::Plans;

/// What every resource route shares.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) database: Database,
    pub(super) resources: Resources,
    pub(super) cursors: CursorKey,
    pub(super) compressor: Arc<Compressor>,
    pub(super) cache: VariantCache<Stamp, NotKept>,
    /// What a proxy in front cuts off the path; empty when nothing is.
    pub(super) public_path: Box<str>,
    /// What a request body may take.
    pub(super) bodies: Bounds,
    /// Plans of lists and of rows, one set a media type.
    pub(super) lists: [Plans<ListPlan>; 2],
    pub(super) ones: [Plans<OnePlan>; 2],
    rules: Vec<Rules>,
    tokens: TokenKey,
}

/// What the configuration says of one resource beyond its columns.
#[derive(Debug, Clone, Default)]
pub(super) struct Rules {
    /// Reads need a login token.
    pub(super) token_read: bool,
    /// Writes need a login token.
    pub(super) token_write: bool,
    /// Changes of a row need `If-Match`.
    pub(super) require_match: bool,
    /// The column that is set to the time of each write, by index in the table.
    pub(super) touch: Option<usize>,
}

/// Why an answer was not kept.
#[derive(Debug, Clone)]
pub(super) enum NotKept {
    /// A commit came in between: what was read may belong to no stamp.
    Moved,
    /// There is no answer but this problem.
    Problem(Problem),
}

impl From<Problem> for NotKept {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// The keys a source works with.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) cursors: CursorKey,
    pub(super) tokens: TokenKey,
}

impl Source {
    /// `rules` has one entry a resource, in order; `cache` is the budget of kept answers in bytes.
    pub(super) fn new(
        database: Database,
        resources: Resources,
        rules: Vec<Rules>,
        keys: Keys,
        cache: usize,
        (bodies, public_path): (Bounds, &str),
    ) -> Self {
        let compressor = Arc::new(Compressor::new(CompressionPolicy::new()));
        let cache = VariantCache::new(cache as u64, Arc::clone(&compressor));
        let Keys { cursors, tokens } = keys;
        Self {
            database,
            resources,
            cursors,
            compressor,
            cache,
            public_path: public_path.into(),
            bodies,
            lists: [Plans::new(), Plans::new()],
            ones: [Plans::new(), Plans::new()],
            rules,
            tokens,
        }
    }

    /// The rules of a resource.
    pub(super) fn rules(&self, resource: &Resource) -> &Rules {
        &self.rules[resource.id.index()]
    }

    /// The key tokens are signed with.
    pub(super) fn tokens(&self) -> &TokenKey {
        &self.tokens
    }

    /// 401 unless the request may read the resource.
    pub(super) fn check_read(
        &self,
        resource: &Resource,
        headers: &HeaderMap,
    ) -> Result<(), Problem> {
        if self.rules(resource).token_read {
            self.check_token(headers)
        } else {
            Ok(())
        }
    }

    /// 401 unless the request may read all of these: an answer tells of related rows too.
    pub(super) fn check_reads(
        &self,
        resources: &[ResourceId],
        headers: &HeaderMap,
    ) -> Result<(), Problem> {
        if self.is_for_some(resources) {
            self.check_token(headers)
        } else {
            Ok(())
        }
    }

    /// Whether only those with a token may read one of these.
    pub(super) fn is_for_some(&self, resources: &[ResourceId]) -> bool {
        resources
            .iter()
            .any(|resource| self.rules[resource.index()].token_read)
    }

    /// 401 unless the request may write the resource.
    pub(super) fn check_write(
        &self,
        resource: &Resource,
        headers: &HeaderMap,
    ) -> Result<(), Problem> {
        if self.rules(resource).token_write {
            self.check_token(headers)
        } else {
            Ok(())
        }
    }

    /// 401 without a good token.
    pub(super) fn check_token(&self, headers: &HeaderMap) -> Result<(), Problem> {
        bearer(headers, &self.tokens, Timestamp::now()).map(drop)
    }

    /// The resources the request may read.
    pub(super) fn readable(&self, headers: &HeaderMap) -> impl Iterator<Item = &Resource> {
        self.resources
            .all()
            .iter()
            .filter(|resource| self.check_read(resource, headers).is_ok())
    }
}
