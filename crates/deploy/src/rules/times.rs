//! Each timeout lies inside the next one, so that whoever knows most about a failure tells of it.

use std::time::Duration;

use super::Refusal;
use crate::deployment::Deployment;

/// The longest that a function may run.
const LONGEST: Duration = Duration::from_mins(15);

pub(super) fn check(deployment: &Deployment, found: &mut Vec<Refusal>) {
    let times = deployment.times;
    let database = times.pool + times.query;
    if times.function.subsec_nanos() != 0
        || times.function > LONGEST
        || times.function < Duration::from_secs(1)
    {
        found.push(Refusal::FunctionTimeout(times.function));
    }
    let mut order = |inner, inner_time, outer, outer_time, advice| {
        if inner_time >= outer_time {
            found.push(Refusal::Order {
                inner,
                inner_time,
                outer,
                outer_time,
                advice,
            });
        }
    };
    order(
        "the statement",
        times.statement,
        "waiting for a connection and the query together",
        database,
        "lower --statement-timeout, or raise `query_timeout` of [database]",
    );
    order(
        "waiting for a connection and the query together",
        database,
        "the request",
        times.request,
        "lower `query_timeout` of [database] or `connect_timeout` of [pool], or raise --timeout",
    );
    order(
        "the request",
        times.request,
        "the function",
        times.function,
        "its answer must still be sent: raise --margin",
    );
    if deployment.entry.is_gateway() {
        order(
            "the function",
            times.function,
            "the gateway",
            deployment.entry.limit(),
            "lower --timeout: after the gateway's own 504 the function runs on and is paid for",
        );
    }
    if let Some(proxy) = deployment.proxy {
        order(
            "waiting for one of the proxy's connections",
            proxy.borrow,
            "the query",
            times.query,
            "lower --borrow-timeout, or raise `query_timeout` of [database]",
        );
    }
}
