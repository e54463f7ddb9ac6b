//! The database as the routes see it: resources, answers kept ready, the key of cursors.

use std::sync::Arc;

use paceline_data::Database;
use paceline_data::cursor::CursorKey;
use paceline_data::resource::Resources;
use paceline_data::version::Stamp;
use paceline_http::compression::{CompressionPolicy, Compressor};
use paceline_http::problem::Problem;
use paceline_http::representation::VariantCache;

/// What every resource route shares.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) database: Database,
    pub(super) resources: Resources,
    pub(super) cursors: CursorKey,
    pub(super) compressor: Arc<Compressor>,
    pub(super) cache: VariantCache<Stamp, NotKept>,
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

impl Source {
    /// `cache` is the budget of kept answers in bytes.
    pub(super) fn new(
        database: Database,
        resources: Resources,
        cursors: CursorKey,
        cache: usize,
    ) -> Self {
        let compressor = Arc::new(Compressor::new(CompressionPolicy::new()));
        let cache = VariantCache::new(cache as u64, Arc::clone(&compressor));
        Self {
            database,
            resources,
            cursors,
            compressor,
            cache,
        }
    }
}
