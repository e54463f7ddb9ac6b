//! The limits of the configuration: in memory, on Redis, and how many requests run.

use std::num::NonZeroUsize;

use axum::Router;
use axum::body::Body;
use paceline_http::client_ip::TrustedProxies;
use paceline_http::concurrency_limit::ConcurrencyLimitLayer;
use paceline_http::rate_limit::lint::{self, SetUp};
use paceline_http::rate_limit::shared::{SharedLimiter, SharedRateLimitLayer};
use paceline_http::rate_limit::store::redis::{RedisOptions, RedisStore};
use paceline_http::rate_limit::{
    Algorithm, Cost, PathPrefix, Policy, Quota, RateLimitLayer, RequestKey,
};

use super::ServeError;
use crate::config::{self, Config, Limit, LimitStore, Resources};

/// What is enforced.
#[derive(Debug)]
pub(super) struct Limits {
    memory: Option<RateLimitLayer>,
    shared: Option<SharedRateLimitLayer>,
    places: Vec<ConcurrencyLimitLayer>,
}

impl Limits {
    /// Makes what the configuration asks for; connects to nothing yet.
    pub(super) fn new(config: &Config) -> Result<Self, ServeError> {
        let settings = &config.limit_settings;
        let key = RequestKey::address(settings.ipv6_prefix);
        let memory = policies(config, LimitStore::Memory);
        let memory = (!memory.is_empty()).then(|| {
            RateLimitLayer::new(memory)
                .with_key(key.clone())
                .with_headers(settings.headers)
        });
        let on_redis = policies(config, LimitStore::Redis);
        let shared = match &settings.redis {
            Some(url) if !on_redis.is_empty() => {
                let options = RedisOptions::new(url.expose().as_str())
                    .prefix(&settings.redis_prefix)
                    .deadline(settings.redis_deadline);
                let failed =
                    |error: Box<dyn std::error::Error + Send + Sync>| ServeError::Limits(error);
                let store = RedisStore::new(&options).map_err(|error| failed(Box::new(error)))?;
                let limiter =
                    SharedLimiter::new(store, on_redis).map_err(|error| failed(Box::new(error)))?;
                let layer = SharedRateLimitLayer::new(limiter).with_key(key);
                Some(layer.with_headers(settings.headers))
            }
            _ => None,
        };
        Ok(Self {
            memory,
            shared,
            places: config.concurrency.iter().map(places).collect(),
        })
    }

    pub(super) fn memory(&self) -> Option<RateLimitLayer> {
        self.memory.clone()
    }

    pub(super) fn shared(&self) -> Option<SharedRateLimitLayer> {
        self.shared.clone()
    }

    /// The routes behind their places, the first of the configuration outermost.
    pub(super) fn with_places(&self, routes: Router) -> Router {
        self.places.iter().rev().fold(routes, |routes, places| {
            let around = tower::ServiceBuilder::new()
                .map_response(|response: axum::http::Response<_>| response.map(Body::new))
                .layer(places.clone())
                .service(routes);
            Router::new().fallback_service(around)
        })
    }
}

fn places(settings: &config::Concurrency) -> ConcurrencyLimitLayer {
    let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let max = NonZeroUsize::new(count(settings.max.get())).unwrap_or(NonZeroUsize::MIN);
    ConcurrencyLimitLayer::new(max)
        .with_queue(count(settings.queue))
        .with_patience(settings.patience)
        .with_path(path(&settings.path))
}

/// The limits counted in a store, that of the mail route among those in memory.
fn policies(config: &Config, store: LimitStore) -> Vec<Policy> {
    let mails = config.email.as_ref().map(|email| Limit {
        path: email.path.clone(),
        message: Some(
            "Too many mails from this address. Wait as long as Retry-After says.".to_owned(),
        ),
        ..Limit::new(config::MAILS, email.max_per_window, email.window)
    });
    let limits = config.limits.iter().chain(&mails);
    let counted = limits.filter(|limit| limit.store == store);
    counted.map(policy).collect()
}

fn path(text: &str) -> PathPrefix {
    PathPrefix::new(text).expect("the configuration takes absolute paths only")
}

fn policy(limit: &Limit) -> Policy {
    let quota =
        Quota::new(limit.max, limit.window).expect("the configuration takes whole seconds only");
    let quota = match limit.burst {
        Some(burst) if limit.algorithm == Algorithm::Gcra => quota
            .with_burst(burst)
            .expect("the configuration takes bursts of at most `max` only"),
        _ => quota.with_algorithm(limit.algorithm),
    };
    let cost = if limit.skip_successful {
        Cost::SkipSuccessful
    } else if limit.skip_failed {
        Cost::SkipFailed
    } else {
        Cost::Weight
    };
    let policy = Policy::new(&limit.name, quota)
        .expect("the configuration takes names for headers only")
        .with_path(path(&limit.path))
        .with_weight(limit.weight)
        .with_cost(cost)
        .with_fail_mode(limit.on_store_failure);
    match &limit.message {
        Some(message) => policy.with_message(message.clone()),
        None => policy,
    }
}

/// What is no mistake, and still will not limit what it is meant to, for people.
pub(super) fn warnings(config: &Config) -> Vec<String> {
    let proxies = TrustedProxies::new(config.server.trusted_proxies.iter().copied());
    let key = RequestKey::address(config.limit_settings.ipv6_prefix);
    let memory = policies(config, LimitStore::Memory);
    let on_redis = policies(config, LimitStore::Redis);
    let mut found = Vec::new();
    if !(memory.is_empty() && on_redis.is_empty()) {
        let about_all = SetUp::new(&memory).with_proxies(&proxies).with_key(&key);
        found.extend(lint::check(&about_all));
        found.extend(lint::check(&SetUp::new(&on_redis).with_shared_store(true)));
    }
    let mut told: Vec<String> = found.iter().map(ToString::to_string).collect();
    let limits = config.limits.iter().map(|limit| (&limit.name, &limit.path));
    for (name, limited) in limits.filter(|(_, path)| !meets_a_route(config, path)) {
        told.push(format!(
            "the limit `{name}` is for {limited}, and nothing is served there: correct its path"
        ));
    }
    told
}

/// Whether some route lies below `path`, or `path` below some route.
fn meets_a_route(config: &Config, limited: &str) -> bool {
    let mut routes = vec![
        "/health".to_owned(),
        "/openapi.json".to_owned(),
        "/api/jobs".to_owned(),
    ];
    match &config.resources {
        Resources::EveryTable => routes.push("/api".to_owned()),
        Resources::Named(named) => {
            let of = |resource: &config::Resource| {
                ["/api", "/api/export"].map(|base| format!("{base}/{}", resource.path))
            };
            routes.extend(named.iter().flat_map(of));
        }
    }
    routes.extend(config.email.as_ref().map(|email| email.path.clone()));
    routes.extend(config.login.as_ref().map(|login| login.path.clone()));
    routes.extend(config.stream.as_ref().map(|stream| stream.path.clone()));
    let limited = path(limited);
    routes.iter().any(|route| {
        limited.matches(route)
            || PathPrefix::new(route).is_ok_and(|route| route.matches(&limited.to_string()))
    })
}
