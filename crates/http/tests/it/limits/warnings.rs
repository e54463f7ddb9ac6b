//! Mistakes only a shared store can have.

use paceline_http::rate_limit::lint::Warning;
use paceline_http::rate_limit::shared::{SharedLimiter, SharedRateLimitLayer};
use paceline_http::rate_limit::store::redis::{RedisOptions, RedisStore};

use super::store::{ALGORITHMS, policy, quota};

#[test]
fn two_limiters_that_count_each_others_requests_are_told() {
    let store = RedisStore::new(&RedisOptions::new("redis://127.0.0.1:1")).unwrap();
    let layer = |name: &str| {
        let policies = [policy(name, quota(ALGORITHMS[0], 1, 86_400 * 30))];
        SharedRateLimitLayer::new(SharedLimiter::new(store.clone(), policies).unwrap())
    };
    let check = |layer: &SharedRateLimitLayer, expected: &[&str]| {
        let told = layer.warnings();
        let told: Vec<&str> = told.iter().map(Warning::code).collect();
        assert_eq!(told, expected);
    };
    // A month is not too long there.
    check(&layer("api"), &[]);
    check(&layer("login"), &[]);
    check(&layer("api"), &["shared-counts"]);
}
