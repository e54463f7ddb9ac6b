//! Asks a server every case.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use http_body_util::Full;
use serde::{Deserialize, Serialize};

use crate::case::{Case, Step, Strength};
use crate::check::{Context, differences};
pub use crate::exchange::Protocol;
use crate::exchange::{self, Observed, exchange};

/// The header that marks a request, so that the origin can tell how often it acted on it.
pub const MARK: &str = "x-conformance-mark";

/// Where a server under test is.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its address.
    pub address: SocketAddr,
    /// What its paths begin with; empty or `/...` without a slash at the end.
    pub prefix: String,
    /// How it is spoken to.
    pub protocol: Protocol,
}

/// How one case went.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Verdict {
    /// The case.
    pub case: String,
    /// Its group.
    pub group: String,
    /// How much it matters.
    pub strength: Strength,
    /// What is not as expected; empty when all is.
    pub differences: Vec<String>,
}

/// Asks the target each case, one after the other.
pub async fn run(target: &Target, cases: &[Case]) -> Vec<Verdict> {
    let mut verdicts = Vec::with_capacity(cases.len());
    for case in cases {
        verdicts.push(Verdict {
            case: case.name.clone(),
            group: case.group.clone(),
            strength: case.strength,
            differences: converse(target, case).await,
        });
    }
    verdicts
}

/// The steps of one case; what is found says its step.
async fn converse(target: &Target, case: &Case) -> Vec<String> {
    let mut earlier: Vec<Observed> = Vec::new();
    let mut found = Vec::new();
    for (index, step) in case.step.iter().enumerate() {
        let number = index + 1;
        match ask(target, case, step, &earlier).await {
            Ok((observed, differences)) => {
                let said = differences
                    .into_iter()
                    .map(|what| format!("step {number}: {what}"));
                found.extend(said);
                earlier.push(observed);
            }
            Err(problem) => {
                found.push(format!("step {number}: {problem}"));
                return found;
            }
        }
    }
    found
}

async fn ask(
    target: &Target,
    case: &Case,
    step: &Step,
    earlier: &[Observed],
) -> Result<(Observed, Vec<String>), String> {
    let mark = new_mark();
    let request = request(target, case, step, earlier, &mark)?;
    let is_head = request.method() == Method::HEAD;
    let expected = &step.expect;
    let observed = exchange(
        (target.address, target.protocol),
        request,
        expected.seen.as_deref(),
    )
    .await?;
    let writes = if expected.writes.is_some() || expected.agrees_with_writes {
        Some(acted(target, &mark).await?)
    } else {
        None
    };
    let context = Context {
        origin: &case.origin,
        earlier,
        is_head,
        writes,
    };
    let found = differences(expected, &observed, &context);
    Ok((observed, found))
}

fn request(
    target: &Target,
    case: &Case,
    step: &Step,
    earlier: &[Observed],
    mark: &str,
) -> Result<Request<Full<Bytes>>, String> {
    let method = Method::from_bytes(step.method.as_bytes()).map_err(|error| error.to_string())?;
    let body = if matches!(method, Method::GET | Method::HEAD) {
        Bytes::new()
    } else {
        Bytes::from_static(b"{\"stock\":5}")
    };
    let mut request = Request::builder()
        .method(method)
        .uri(format!("{}/{}", target.prefix, case.name))
        .header("host", target.address.to_string())
        .header(MARK, mark)
        .body(Full::new(body))
        .map_err(|error| error.to_string())?;
    for line in &step.headers {
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| format!("{line:?} is no header line"))?;
        let value = filled(value.trim(), earlier)?;
        append(&mut request, name.trim(), value.as_bytes())?;
    }
    if let Some(repeated) = &step.repeated {
        let value = repeated.part.repeat(repeated.times);
        append(&mut request, &repeated.name, value.as_bytes())?;
    }
    Ok(request)
}

fn append(request: &mut Request<Full<Bytes>>, name: &str, value: &[u8]) -> Result<(), String> {
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| error.to_string())?;
    let value = HeaderValue::from_bytes(value).map_err(|error| error.to_string())?;
    request.headers_mut().append(name, value);
    Ok(())
}

/// `text` with `{FIELD:STEP}` replaced by what that step's answer said.
fn filled(text: &str, earlier: &[Observed]) -> Result<String, String> {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (reference, after) = after
            .split_once('}')
            .ok_or_else(|| format!("{text:?} has no }}"))?;
        let (name, step) = reference
            .split_once(':')
            .ok_or_else(|| format!("{reference:?} names no step"))?;
        let answer = step
            .parse::<usize>()
            .ok()
            .and_then(|step| earlier.get(step.checked_sub(1)?))
            .ok_or_else(|| format!("{reference:?} is of no earlier step"))?;
        let value = answer
            .field(name)
            .ok_or_else(|| format!("the answer of step {step} had no {name} to go on with"))?;
        result.push_str(before);
        result.push_str(&value);
        rest = after;
    }
    result.push_str(rest);
    Ok(result)
}

/// How often the origin acted on the marked request.
async fn acted(target: &Target, mark: &str) -> Result<u64, String> {
    let uri: Uri = format!("{}/writes-of/{mark}", target.prefix)
        .parse()
        .map_err(|_| "the prefix is no path".to_owned())?;
    let text = exchange::text((target.address, target.protocol), &uri).await?;
    text.parse()
        .map_err(|_| format!("/writes-of answered {text:?}, not a number"))
}

/// Different for each request of all runs against the same origin.
fn new_mark() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let process = std::process::id();
    format!("{process}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
