//! What one decision of the rate limit costs, in instructions: throughput differences this small are noise.
//!
//! The same route is called in one process with and without the limit, few and many times, under
//! callgrind; start-up and the route itself cancel out of the differences.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::process::Command;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response};
use axum::routing::get;
use paceline_http::client_ip::{ClientAddressLayer, TrustedProxies};
use paceline_http::rate_limit::{PathPrefix, Policy, Quota, RateLimitLayer};
use tower::{Service, ServiceBuilder, ServiceExt};

use crate::Outcome;
use crate::results::Results;

const FEW: u32 = 1_000;
const MANY: u32 = 6_000;

/// Counts them.
pub(crate) fn measure(results: &mut Results) -> Outcome<()> {
    let limited = counted("limited", MANY)? - counted("limited", FEW)?;
    let free = counted("free", MANY)? - counted("free", FEW)?;
    results.figure(
        "rate limit, instructions a request",
        (limited - free) / f64::from(MANY - FEW),
    );
    results.figure(
        "the route without it, instructions a request",
        free / f64::from(MANY - FEW),
    );
    Ok(())
}

/// All instructions of a process that calls the route so many times.
fn counted(route: &str, times: u32) -> Outcome<f64> {
    collected(&["limit", route, &times.to_string()])
}

/// All instructions of this program with these arguments.
pub(crate) fn collected(arguments: &[&str]) -> Outcome<f64> {
    let text = valgrind(
        &["--tool=callgrind", "--callgrind-out-file=/dev/null"],
        arguments,
    )?;
    let count = text
        .lines()
        .find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    count.ok_or_else(|| format!("callgrind counted nothing: {text}"))
}

/// All allocations of this program with these arguments, each growth of one included.
pub(crate) fn allocated(arguments: &[&str]) -> Outcome<f64> {
    let text = valgrind(&["--tool=dhat", "--dhat-out-file=/dev/null"], arguments)?;
    let count = text.lines().find_map(|line| {
        let (_, total) = line.split_once("Total: ")?;
        let (_, blocks) = total.trim().split_once(" bytes in ")?;
        blocks
            .strip_suffix(" blocks")?
            .replace(',', "")
            .parse()
            .ok()
    });
    count.ok_or_else(|| format!("dhat counted nothing: {text}"))
}

/// What a tool says of this program with these arguments.
fn valgrind(tool: &[&str], arguments: &[&str]) -> Outcome<String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(tool)
        .arg(program)
        .args(arguments)
        .output()
        .map_err(|error| format!("valgrind could not be started: {error}"))?;
    Ok(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Calls the route, `limited TIMES` or `free TIMES`: what is run under callgrind.
pub(crate) fn call(arguments: &[String]) -> Outcome<()> {
    let [route, times] = arguments else {
        return Err("limit needs limited|free TIMES".to_owned());
    };
    let times: u32 = times
        .parse()
        .map_err(|_| format!("{times:?} is no number"))?;
    let plain = Router::new().route("/api/noop", get(async || "ok"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    if route == "limited" {
        runtime.block_on(calls(limited(plain)?, times))
    } else {
        runtime.block_on(calls(plain, times))
    }
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

/// One policy for every address, as in the documented example, out of reach; put around the routes as the
/// server does it.
fn limited(
    routes: Router,
) -> Outcome<impl Service<Request<Body>, Response = Response<Body>, Error = Infallible>> {
    let most = NonZeroU32::new(1_000_000).expect("not zero");
    let quota = Quota::new(most, Duration::from_mins(15)).map_err(|error| error.to_string())?;
    let path = PathPrefix::new("/api/").map_err(|error| error.to_string())?;
    let policy = Policy::new("api", quota)
        .map_err(|error| error.to_string())?
        .with_path(path);
    Ok(ServiceBuilder::new()
        .layer(ClientAddressLayer::new(TrustedProxies::none()))
        .layer(RateLimitLayer::new([policy]))
        .service(routes))
}
