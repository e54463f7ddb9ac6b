//! What the whole stack of layers costs a request, in instructions and allocations: the same route called with and
//! without it, few and many times, under valgrind; start-up and the route itself cancel out of the differences.

use std::convert::Infallible;
use std::future::ready;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response, request};
use axum::routing::get;
use paceline_http::client_ip::{ClientAddressLayer, TrustedProxies};
use paceline_http::compression::CompressionLayer;
use paceline_http::conditional::{ConditionalLayer, EntityTag, KnownState, ValidatorLayer};
use paceline_http::rate_limit::{Policy, Quota, RateLimitLayer};
use paceline_http::request_id::RequestIdLayer;
use tower::{Service, ServiceBuilder, ServiceExt};
use tower_http::trace::TraceLayer;

use crate::Outcome;
use crate::limit::{allocated, collected};
use crate::results::Results;

const FEW: u32 = 1_000;
const MANY: u32 = 6_000;

/// The layers, outermost first: each name is that stack up to there.
const STACKS: [&str; 6] = [
    "route",
    "id",
    "trace",
    "limit",
    "compression",
    "conditional",
];

/// Counts both.
pub(super) fn measure(results: &mut Results) -> Outcome<()> {
    count("instructions", collected, results)?;
    count("allocations", allocated, results)
}

/// Counts one of them, what each layer adds and all of them together.
fn count(what: &str, all: fn(&[&str]) -> Outcome<f64>, results: &mut Results) -> Outcome<()> {
    let each = |stack: &str| {
        let many = all(&["layers", stack, &MANY.to_string()])?;
        let few = all(&["layers", stack, &FEW.to_string()])?;
        Ok::<f64, String>((many - few) / f64::from(MANY - FEW))
    };
    let [route, layers @ ..] = STACKS;
    let alone = each(route)?;
    results.figure(&format!("layers, the route alone, {what}"), alone);
    let mut before = alone;
    for layer in layers {
        let with = each(layer)?;
        results.figure(&format!("layers, {layer} added, {what}"), with - before);
        before = with;
    }
    let name = format!("layers, the whole stack, {what} a request");
    results.figure(&name, before - alone);
    Ok(())
}

/// Calls the route behind a stack, `STACK TIMES`: what is run under callgrind.
pub(crate) fn call(arguments: &[String]) -> Outcome<()> {
    let [stack, times] = arguments else {
        return Err("layers needs STACK TIMES".to_owned());
    };
    let times: u32 = times
        .parse()
        .map_err(|_| format!("{times:?} is no number"))?;
    let depth = STACKS
        .iter()
        .position(|name| name == stack)
        .ok_or_else(|| format!("there is no stack {stack:?}"))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(behind(depth, times))
}

/// Calls the route with the first `depth` layers around it, put together as a user does: one `ServiceBuilder`.
async fn behind(depth: usize, times: u32) -> Outcome<()> {
    let route = Router::new().route("/api/noop", get(async || "ok"));
    let tag = EntityTag::strong("v").map_err(|error| error.to_string())?;
    let version = move |_: &request::Parts| ready(Some(KnownState::tagged(tag.clone())));
    let identified = ServiceBuilder::new().layer(RequestIdLayer::new());
    let traced = identified.clone().layer(TraceLayer::new_for_http());
    let limited = traced
        .clone()
        .layer(ClientAddressLayer::new(TrustedProxies::none()))
        .layer(RateLimitLayer::new([policy()?]));
    let compressed = limited.clone().layer(CompressionLayer::default());
    let conditional = compressed
        .clone()
        .layer(ValidatorLayer::new(version))
        .layer(ConditionalLayer::new());
    match depth {
        0 => calls(route, times).await,
        1 => calls(identified.service(route), times).await,
        2 => calls(traced.service(route), times).await,
        3 => calls(limited.service(route), times).await,
        4 => calls(compressed.service(route), times).await,
        _ => calls(conditional.service(route), times).await,
    }
}

fn policy() -> Outcome<Policy> {
    let most = NonZeroU32::new(1_000_000).expect("not zero");
    let quota = Quota::new(most, Duration::from_mins(15)).map_err(|error| error.to_string())?;
    Policy::new("api", quota).map_err(|error| error.to_string())
}

async fn calls<S, B>(mut service: S, times: u32) -> Outcome<()>
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible>,
{
    for _ in 0..times {
        let peer = ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 40_000)));
        let request = Request::get("/api/noop")
            .extension(peer)
            .body(Body::empty())
            .expect("a valid request");
        let ready = service.ready().await;
        let Ok(answer) = ready.expect("a router cannot fail").call(request).await;
        if !answer.status().is_success() {
            return Err(format!("the route answered {}", answer.status()));
        }
    }
    Ok(())
}
