//! `[[limits]]`, `[limit_settings]` and `[[concurrency]]`.

use std::num::NonZeroU32;
use std::time::Duration;

use paceline_http::client_ip::Ipv6PrefixLength;
use paceline_http::rate_limit::store::redis::TooLargeForRedis;
use paceline_http::rate_limit::{Algorithm, FailMode, HeaderDialect};

use super::Mistake;
use super::reader::{Section, nearest};
use super::redacted::Redacted;
use super::values::{self, Invalid};

/// `[[limits]]`: how many requests one client address may send in a window.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limit {
    /// The name in the `RateLimit` headers; each limit has its own. No default.
    pub name: String,
    /// Requests below this path are counted. Default `/`.
    pub path: String,
    /// Requests in one window. No default.
    pub max: NonZeroU32,
    /// How long a window is. No default.
    pub window: Duration,
    /// How they are counted. Default `fixed-window`.
    pub algorithm: Algorithm,
    /// Requests at once, with `gcra` only. Default `max`.
    pub burst: Option<NonZeroU32>,
    /// How many requests one request counts as. Default 1.
    pub weight: NonZeroU32,
    /// Whether only requests answered with 400 or above count. Default false.
    pub skip_successful: bool,
    /// Whether only requests answered below 400 count. Default false.
    pub skip_failed: bool,
    /// Where it is counted. Default `memory`.
    pub store: LimitStore,
    /// What happens while the Redis server cannot be asked. Default `local`.
    pub on_store_failure: FailMode,
    /// The `detail` of the 429. Default: a sentence of the server.
    pub message: Option<String>,
}

impl Limit {
    /// A limit with every default.
    pub fn new(name: impl Into<String>, max: NonZeroU32, window: Duration) -> Self {
        Self {
            name: name.into(),
            path: "/".to_owned(),
            max,
            window,
            algorithm: Algorithm::default(),
            burst: None,
            weight: NonZeroU32::MIN,
            skip_successful: false,
            skip_failed: false,
            store: LimitStore::default(),
            on_store_failure: FailMode::default(),
            message: None,
        }
    }
}

/// Where a limit is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum LimitStore {
    /// In this process' memory.
    #[default]
    Memory,
    /// On the Redis server of `[limit_settings]`.
    Redis,
}

/// `[limit_settings]`: what all limits have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitSettings {
    /// The dialect of the headers. Default `draft-10`.
    pub headers: HeaderDialect,
    /// How many bits of an IPv6 address are one client's. Default 56.
    pub ipv6_prefix: Ipv6PrefixLength,
    /// The Redis server, for limits with `store = "redis"`. Default none.
    pub redis: Option<Redacted<String>>,
    /// What its keys begin with. Default `paceline:limit`.
    pub redis_prefix: String,
    /// Within which it must answer. Default 50 ms.
    pub redis_deadline: Duration,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            headers: HeaderDialect::default(),
            ipv6_prefix: Ipv6PrefixLength::default(),
            redis: None,
            redis_prefix: "paceline:limit".to_owned(),
            redis_deadline: Duration::from_millis(50),
        }
    }
}

/// `[[concurrency]]`: how many requests run at the same time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Concurrency {
    /// Requests below this path. Default `/`.
    pub path: String,
    /// How many run. No default.
    pub max: NonZeroU32,
    /// How many more wait. Default twice `max`.
    pub queue: u32,
    /// How long one waits. Default 5 s.
    pub patience: Duration,
}

/// The most that `max` times the milliseconds of `window` may be there.
const LARGEST_ON_REDIS: u128 = TooLargeForRedis::LARGEST;

const STORES: [(LimitStore, &str); 2] =
    [(LimitStore::Memory, "memory"), (LimitStore::Redis, "redis")];
const ALGORITHMS: [(Algorithm, &str); 3] = [
    (Algorithm::FixedWindow, Algorithm::FixedWindow.name()),
    (Algorithm::SlidingWindow, Algorithm::SlidingWindow.name()),
    (Algorithm::Gcra, Algorithm::Gcra.name()),
];
const FAIL_MODES: [(FailMode, &str); 3] = [
    (FailMode::Local, FailMode::Local.name()),
    (FailMode::Open, FailMode::Open.name()),
    (FailMode::Closed, FailMode::Closed.name()),
];

pub(super) fn limits(sections: &[Section<'_, '_>]) -> Vec<Limit> {
    let mut limits: Vec<Limit> = Vec::new();
    for section in sections {
        let name = section.required("name", token);
        let twice = |name: &String| limits.iter().any(|other| other.name == *name);
        if let Some(name) = name.as_ref().filter(|name| twice(name)) {
            let message = format!("two limits are named {name:?}");
            report(section, "name", message, "a name of its own for each limit");
        }
        limits.extend(limit(section, name));
    }
    limits
}

fn limit(section: &Section<'_, '_>, name: Option<String>) -> Option<Limit> {
    let max = required_number(section, "max");
    let window = section.required("window", window);
    let path = section.parsed("path", values::absolute_path);
    let algorithm = section.parsed("algorithm", |text| one_of(text, &ALGORITHMS));
    let burst = section
        .integer32("burst", 1..=u32::MAX)
        .and_then(NonZeroU32::new);
    let weight = section
        .integer32("weight", 1..=u32::MAX)
        .and_then(NonZeroU32::new);
    let skip_successful = section.boolean("skip_successful").unwrap_or(false);
    let skip_failed = section.boolean("skip_failed").unwrap_or(false);
    let store = section.parsed("store", |text| one_of(text, &STORES));
    let fail_mode = section.parsed("on_store_failure", |text| one_of(text, &FAIL_MODES));
    let message = section.parsed("message", values::name);
    section.finish();
    let usual = Limit::new(name?, max?, window?);
    let limit = Limit {
        path: path.unwrap_or(usual.path),
        algorithm: algorithm.unwrap_or_default(),
        burst,
        weight: weight.unwrap_or(usual.weight),
        skip_successful,
        skip_failed,
        store: store.unwrap_or_default(),
        on_store_failure: fail_mode.unwrap_or_default(),
        message,
        ..usual
    };
    agree(section, &limit);
    Some(limit)
}

/// What has to hold between the keys of one limit.
fn agree(section: &Section<'_, '_>, limit: &Limit) {
    let capacity = limit.burst.unwrap_or(limit.max);
    if limit.burst.is_some() && limit.algorithm != Algorithm::Gcra {
        let message = "`burst` is for the algorithm gcra only".to_owned();
        report(
            section,
            "burst",
            message,
            "algorithm = \"gcra\", or no `burst`",
        );
    } else if capacity > limit.max {
        let message = format!("`burst` {capacity} is above `max` {}", limit.max);
        report(section, "burst", message, "a `burst` of at most `max`");
    }
    if limit.weight > capacity {
        let message = format!(
            "`weight` {} is above what fits at once, {capacity}",
            limit.weight
        );
        report(
            section,
            "weight",
            message,
            "a smaller `weight`, or a larger `max`",
        );
    }
    if limit.skip_successful && limit.skip_failed {
        let message = "with `skip_successful` and `skip_failed` no request counts".to_owned();
        report(section, "skip_failed", message, "one of both");
    }
    if limit.store == LimitStore::Redis
        && limit.window.as_millis() * u128::from(limit.max.get()) > LARGEST_ON_REDIS
    {
        let message = "`max` in this `window` is too much to count exactly on Redis".to_owned();
        report(
            section,
            "max",
            message,
            "a smaller `max`, or a shorter `window`",
        );
    }
    if section.has("on_store_failure") && limit.store == LimitStore::Memory {
        let message = "counts in memory do not fail".to_owned();
        let expected = "store = \"redis\", or no `on_store_failure`";
        report(section, "on_store_failure", message, expected);
    }
}

pub(super) fn settings(section: &Section<'_, '_>) -> LimitSettings {
    let usual = LimitSettings::default();
    let bits = section.integer32("ipv6_prefix", 1..=128);
    let bits = bits.and_then(|bits| u8::try_from(bits).ok());
    let settings = LimitSettings {
        headers: section
            .parsed("headers", |text| one_of(text, &HeaderDialect::ALL))
            .unwrap_or(usual.headers),
        ipv6_prefix: bits
            .and_then(|bits| Ipv6PrefixLength::new(bits).ok())
            .unwrap_or(usual.ipv6_prefix),
        redis: section.secret("redis", |text| redis(text).map(Redacted::new)),
        redis_prefix: section
            .parsed("redis_prefix", values::name)
            .unwrap_or(usual.redis_prefix),
        redis_deadline: section
            .parsed("redis_deadline", values::positive_duration)
            .unwrap_or(usual.redis_deadline),
    };
    section.finish();
    settings
}

pub(super) fn concurrency(sections: &[Section<'_, '_>]) -> Vec<Concurrency> {
    let mut found: Vec<Concurrency> = Vec::new();
    for section in sections {
        let path = section.parsed("path", values::absolute_path);
        let max = required_number(section, "max");
        let queue = section.integer32("queue", 0..=1_000_000);
        let patience = section.parsed("patience", values::positive_duration);
        section.finish();
        let Some(max) = max else { continue };
        let path = path.unwrap_or_else(|| "/".to_owned());
        if found.iter().any(|other| other.path == path) {
            let message = format!("two of [[concurrency]] are for {path}");
            report(section, "path", message, "a path of its own for each");
        }
        found.push(Concurrency {
            path,
            max,
            queue: queue.unwrap_or_else(|| max.get().saturating_mul(2)),
            patience: patience.unwrap_or(Duration::from_secs(5)),
        });
    }
    found
}

fn report(section: &Section<'_, '_>, key: &str, message: String, expected: &str) {
    let span = section.reader.span(&section.key(key));
    let mistake = Mistake::new(span, message);
    section.reader.report(mistake.expected(expected));
}

fn required_number(section: &Section<'_, '_>, key: &'static str) -> Option<NonZeroU32> {
    if !section.has(key) {
        section.missing(key);
    }
    section
        .integer32(key, 1..=u32::MAX)
        .and_then(NonZeroU32::new)
}

/// Whole seconds, as the headers can tell, up to a year.
pub(super) fn window(text: &str) -> Result<Duration, Invalid> {
    let window = values::positive_duration(text)?;
    let year = Duration::from_hours(365 * 24);
    if window.subsec_nanos() > 0 || window > year {
        return Err(Invalid::expected(
            "a window of whole seconds, up to 365 days, such as \"15m\"",
        ));
    }
    Ok(window)
}

/// One of these names.
fn one_of<T: Copy>(text: &str, names: &[(T, &'static str)]) -> Result<T, Invalid> {
    if let Some((value, _)) = names.iter().find(|(_, name)| *name == text) {
        return Ok(*value);
    }
    let all: Vec<&str> = names.iter().map(|(_, name)| *name).collect();
    let quoted: Vec<String> = all.iter().map(|name| format!("\"{name}\"")).collect();
    let invalid = Invalid::expected(format!("one of {}", quoted.join(", ")));
    Err(
        match nearest(&text.to_lowercase().replace('_', "-"), &all) {
            Some(near) => invalid.instead(near),
            None => invalid,
        },
    )
}

/// The address of a Redis server.
fn redis(text: &str) -> Result<String, Invalid> {
    let expected = "the address of a Redis server, such as \"redis://127.0.0.1:6379\"";
    match super::job_store::parse(text) {
        Ok(super::JobStoreUrl::Redis(url)) => Ok(url.expose().clone()),
        _ => Err(Invalid::expected(expected)),
    }
}

/// A name that stands in a header as it is.
fn token(text: &str) -> Result<String, Invalid> {
    values::segment(text).map_err(|_| Invalid::expected("a name of letters, digits, - . _ ~"))
}
