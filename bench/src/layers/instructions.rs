//! What the whole stack of layers costs a request, in instructions: the same route called with and without it, few and
//! many times, under callgrind; start-up and the route itself cancel out of the differences.

use std::convert::Infallible;
use std::future::ready;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderName, Request, Response, request};
use axum::routing::get;
use paceline_http::client_ip::{ClientAddressLayer, TrustedProxies};
use paceline_http::compression::CompressionLayer;
use paceline_http::conditional::{ConditionalLayer, EntityTag, KnownState, ValidatorLayer};
use paceline_http::rate_limit::{Policy, Quota, RateLimitLayer};
use tower::{Service, ServiceBuilder, ServiceExt};
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::trace::TraceLayer;

use crate::Outcome;
use crate::limit::collected;
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

/// Counts them.
pub(super) fn measure(results: &mut Results) -> Outcome<()> {
    let mut before = 0.0;
    for stack in STACKS {
        let difference = collected(&["layers", stack, &MANY.to_string()])?
            - collected(&["layers", stack, &FEW.to_string()])?;
        let each = difference / f64::from(MANY - FEW);
        if stack == "route" {
            results.figure("layers, the route alone, instructions", each);
        } else {
            let name = format!("layers, {stack} added, instructions");
            results.figure(&name, each - before);
        }
        before = each;
    }
    let route = results
        .value("layers, the route alone, instructions")
        .unwrap_or(0.0);
    results.figure(
        "layers, the whole stack, instructions a request",
        before - route,
    );
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
    runtime.block_on(calls(stacked(depth)?, times))
}

/// The route with the first `depth` layers around it, each boxed like the route of an axum router.
fn stacked(depth: usize) -> Outcome<Router> {
    let id = HeaderName::from_static("x-request-id");
    let mut router = Router::new().route("/api/noop", get(async || "ok"));
    if depth >= 5 {
        let tag = EntityTag::strong("v").map_err(|error| error.to_string())?;
        let version = move |_: &request::Parts| ready(Some(KnownState::tagged(tag.clone())));
        router = router
            .layer(ConditionalLayer::new())
            .layer(ValidatorLayer::new(version));
    }
    if depth >= 4 {
        router = router.layer(CompressionLayer::default());
    }
    if depth >= 3 {
        router = router.layer(
            ServiceBuilder::new()
                .layer(ClientAddressLayer::new(TrustedProxies::none()))
                .layer(RateLimitLayer::new([policy()?])),
        );
    }
    if depth >= 2 {
        router = router.layer(TraceLayer::new_for_http());
    }
    if depth >= 1 {
        router = router.layer(
            ServiceBuilder::new()
                .layer(SetRequestIdLayer::new(id.clone(), MakeRequestUuid))
                .layer(PropagateRequestIdLayer::new(id)),
        );
    }
    Ok(router)
}

fn policy() -> Outcome<Policy> {
    let most = NonZeroU32::new(1_000_000).expect("not zero");
    let quota = Quota::new(most, Duration::from_mins(15)).map_err(|error| error.to_string())?;
    Policy::new("api", quota).map_err(|error| error.to_string())
}

async fn calls<S>(mut service: S, times: u32) -> Outcome<()>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
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
