//! The database as the routes see it: resources and who may use them, answers kept ready.

use std::sync::Arc;

use http::HeaderMap;
use jiff::Timestamp;
use paceline_data::cursor::CursorKey;
use paceline_data::plan::{ListPlan, OnePlan};
use paceline_data::resource::{AccessVerb, Resource, ResourceId, Resources};
use paceline_data::version::Stamp;
use paceline_data::{Database, Principal};
use paceline_http::compression::{CompressionPolicy, Compressor};
use paceline_http::problem::Problem;
use paceline_http::representation::VariantCache;

use super::body::Bounds;
use super::login::{ApiKeys, Caller, TokenKey, bearer};
use super::plans::Plans;
use super::resource::Follow;
use crate::config::{Access, AccessRules, Bulk, Events};

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
    /// What a request of many rows may take.
    pub(super) bulk: Bulk,
    rules: Vec<Rules>,
    follows: Vec<Option<Follow>>,
    tokens: TokenKey,
    api_keys: ApiKeys,
}

/// What the configuration says of one resource beyond its columns.
#[derive(Debug, Clone, Default)]
pub(super) struct Rules {
    /// Who may use which verb.
    pub(super) access: AccessRules,
    /// Changes of a row need `If-Match`.
    pub(super) require_match: bool,
    /// The jobs that follow writes.
    pub(super) on: Arc<Events>,
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
    /// Those of programs.
    pub(super) programs: ApiKeys,
}

impl Source {
    /// `rules` has one entry a resource, in order; `cache` is the budget of kept answers in bytes.
    pub(super) fn new(
        database: Database,
        resources: Resources,
        rules: Vec<Rules>,
        keys: Keys,
        cache: usize,
        (bodies, bulk, public_path): (Bounds, Bulk, &str),
    ) -> Self {
        let follow =
            |(resource, rules): (&Resource, &Rules)| Follow::of(&resources, resource, &rules.on);
        let follows = resources.all().iter().zip(&rules).map(follow).collect();
        let compressor = Arc::new(Compressor::new(CompressionPolicy::new()));
        let cache = VariantCache::new(cache as u64, Arc::clone(&compressor));
        let Keys {
            cursors,
            tokens,
            programs: api_keys,
        } = keys;
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
            bulk,
            rules,
            follows,
            tokens,
            api_keys,
        }
    }

    /// The rules of a resource.
    pub(super) fn rules(&self, resource: &Resource) -> &Rules {
        &self.rules[resource.id.index()]
    }

    /// What follows the writes of a resource, if anything does.
    pub(super) fn follow(&self, resource: &Resource) -> Option<&Follow> {
        self.follows[resource.id.index()].as_ref()
    }

    /// Whether jobs follow any write.
    pub(super) fn has_follows(&self) -> bool {
        self.follows.iter().any(Option::is_some)
    }

    /// The key tokens are signed with.
    pub(super) fn tokens(&self) -> &TokenKey {
        &self.tokens
    }

    /// Who sent the request; 401 when it does not say, or says it wrong.
    fn caller(&self, headers: &HeaderMap) -> Result<Caller, Problem> {
        bearer(headers, &self.tokens, &self.api_keys, Timestamp::now())
    }

    /// Who sent the request, where that is known.
    pub(super) fn viewer(&self, headers: &HeaderMap) -> Option<Principal> {
        self.caller(headers).ok().map(|caller| caller.principal)
    }

    /// 401 unless the request may use the verb of this resource, 403 when its key is not for that. Which rows are
    /// whose is no matter of this: their statements say it.
    pub(super) fn check(
        &self,
        resource: ResourceId,
        verb: AccessVerb,
        headers: &HeaderMap,
    ) -> Result<(), Problem> {
        if self.is_public(resource, verb) {
            Ok(())
        } else {
            self.caller(headers)?.check(Some(verb))
        }
    }

    /// The same for rows within others: an answer tells of related rows too.
    pub(super) fn check_nested(
        &self,
        nested: &[(ResourceId, AccessVerb)],
        headers: &HeaderMap,
    ) -> Result<(), Problem> {
        let mut nested = nested.iter();
        nested.try_for_each(|(resource, verb)| self.check(*resource, *verb, headers))
    }

    /// Whether everybody may use the verb.
    pub(super) fn is_public(&self, resource: ResourceId, verb: AccessVerb) -> bool {
        *self.rules[resource.index()].access.rule(verb) == Access::Public
    }

    /// Whether everybody may read an answer that tells of these rows.
    pub(super) fn is_for_all(
        &self,
        (resource, verb): (ResourceId, AccessVerb),
        nested: &[(ResourceId, AccessVerb)],
    ) -> bool {
        self.is_public(resource, verb)
            && nested
                .iter()
                .all(|(nested, verb)| self.is_public(*nested, *verb))
    }

    /// 401 without a good token, 403 for keys that are for some verbs of resources alone.
    pub(super) fn check_token(&self, headers: &HeaderMap) -> Result<(), Problem> {
        self.caller(headers)?.check(None)
    }

    /// The resources whose changes the request may be told of.
    pub(super) fn readable(&self, headers: &HeaderMap) -> impl Iterator<Item = &Resource> {
        self.resources
            .all()
            .iter()
            .filter(|resource| self.check(resource.id, AccessVerb::Read, headers).is_ok())
    }
}
