//! One limit: its name, quota, and which requests it is for.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

use http::HeaderValue;

use super::{Cost, PathPrefix, Quota, RequestHead};

/// The `detail` of a 429 unless the policy brings its own.
const DEFAULT_MESSAGE: &str =
    "Too many requests. Wait as long as Retry-After says, then try again.";

/// A named limit.
///
/// ```
/// use std::num::NonZeroU32;
/// use std::time::Duration;
/// use paceline_http::rate_limit::{PathPrefix, Policy, Quota};
///
/// let quota = Quota::new(NonZeroU32::new(5).unwrap(), Duration::from_hours(1))?;
/// let login = Policy::new("login", quota)?
///     .with_path(PathPrefix::new("/api/auth/login")?)
///     .with_skip_successful(true)
///     .with_message("Too many failed logins. Try again later.");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Policy {
    name: Box<str>,
    quota: Quota,
    path: PathPrefix,
    weight: NonZeroU32,
    weigh: Option<Weigh>,
    cost: Cost,
    fail_mode: FailMode,
    message: Cow<'static, str>,
    /// This policy's item of the `RateLimit-Policy` field.
    item: HeaderValue,
    /// Its item of the `RateLimit` field as far as it is always the same: `"name";r=`.
    share_item: Box<[u8]>,
}

/// What a policy does while the store its counts are in cannot be asked. Counts in memory can always be
/// asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum FailMode {
    /// Each process limits for itself, in its memory, with the same quota. The default.
    #[default]
    Local,
    /// Requests pass unlimited.
    Open,
    /// Requests are answered with 503: for what must not be tried without a limit, such as logins.
    Closed,
}

impl FailMode {
    /// The name, as a configuration spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

#[derive(Clone)]
struct Weigh(Arc<dyn Fn(&RequestHead<'_>) -> NonZeroU32 + Send + Sync>);

impl fmt::Debug for Weigh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Weigh")
    }
}

impl Policy {
    /// A limit for all paths, called `name` in the `RateLimit` fields: 1 to 64 visible ASCII characters
    /// without `"` and `\`. Names should differ within one set of policies.
    pub fn new(name: &str, quota: Quota) -> Result<Self, InvalidPolicyName> {
        let legal = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        if !matches!(name.len(), 1..=64) || !name.bytes().all(legal) {
            return Err(InvalidPolicyName {
                name: name.to_owned(),
            });
        }
        let item = format!(
            "\"{name}\";q={};w={}",
            quota.max(),
            quota.window().as_secs()
        );
        Ok(Self {
            name: name.into(),
            quota,
            path: PathPrefix::all(),
            weight: NonZeroU32::MIN,
            weigh: None,
            cost: Cost::default(),
            fail_mode: FailMode::default(),
            message: Cow::Borrowed(DEFAULT_MESSAGE),
            share_item: format!("\"{name}\";r=").into_bytes().into(),
            item: HeaderValue::try_from(item).map_err(|_| InvalidPolicyName {
                name: name.to_owned(),
            })?,
        })
    }

    /// Limits only requests under `path`. Default: all.
    pub fn with_path(mut self, path: PathPrefix) -> Self {
        self.path = path;
        self
    }

    /// Whether requests answered with a status below 400 give their slot back. Default: no.
    ///
    /// While such a request is under way its slot is taken, so `max` also bounds how many failures can be
    /// attempted at the same time; some of more than `max` concurrent requests are refused even when all
    /// would have succeeded.
    pub fn with_skip_successful(self, skip: bool) -> Self {
        self.with_cost(if skip {
            Cost::SkipSuccessful
        } else {
            Cost::Weight
        })
    }

    /// What a request costs once it is known how it ended. Default: its weight.
    ///
    /// Its weight is reserved before it runs. What it cost less is given back, what it cost more is
    /// charged after it, up to the whole quota.
    pub fn with_cost(mut self, cost: Cost) -> Self {
        self.cost = cost;
        self
    }

    /// How many units a request takes. Default: 1. More than the quota ever holds takes all of it.
    pub fn with_weight(mut self, weight: NonZeroU32) -> Self {
        self.weight = weight;
        self
    }

    /// Weighs each request by itself: an export more than a lookup, a batch by its size.
    ///
    /// ```
    /// use std::num::NonZeroU32;
    /// use std::time::Duration;
    /// use paceline_http::rate_limit::{Policy, Quota};
    ///
    /// let quota = Quota::new(NonZeroU32::new(1_000).unwrap(), Duration::from_mins(1))?;
    /// let api = Policy::new("api", quota)?.with_weight_by(|request| {
    ///     let heavy = request.uri.path().starts_with("/api/export/");
    ///     NonZeroU32::new(if heavy { 50 } else { 1 }).unwrap()
    /// });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_weight_by(
        mut self,
        weigh: impl Fn(&RequestHead<'_>) -> NonZeroU32 + Send + Sync + 'static,
    ) -> Self {
        self.weigh = Some(Weigh(Arc::new(weigh)));
        self
    }

    /// What to do while a shared store cannot be asked. Default: [`FailMode::Local`].
    pub fn with_fail_mode(mut self, mode: FailMode) -> Self {
        self.fail_mode = mode;
        self
    }

    /// The sentence a refused client reads: the `detail` of the problem document.
    pub fn with_message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.message = message.into();
        self
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The quota.
    pub fn quota(&self) -> Quota {
        self.quota
    }

    /// The paths it is for.
    pub fn path(&self) -> &PathPrefix {
        &self.path
    }

    /// What a request costs in the end.
    pub fn cost(&self) -> &Cost {
        &self.cost
    }

    /// What it does while a shared store cannot be asked.
    pub fn fail_mode(&self) -> FailMode {
        self.fail_mode
    }

    /// What to reserve for a request; without one, what is reserved for each. Never more than the quota
    /// can hold.
    pub fn weight(&self, request: Option<&RequestHead<'_>>) -> u32 {
        let weight = match (&self.weigh, request) {
            (Some(Weigh(weigh)), Some(request)) => weigh(request),
            _ => self.weight,
        };
        weight.min(self.quota.capacity()).get()
    }

    /// What a refused client reads.
    pub fn message(&self) -> &str {
        &self.message
    }

    pub(super) fn share_item(&self) -> &[u8] {
        &self.share_item
    }

    pub(super) fn item(&self) -> &HeaderValue {
        &self.item
    }
}

/// A policy name that the `RateLimit` fields cannot carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidPolicyName {
    name: String,
}

impl fmt::Display for InvalidPolicyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the policy name {:?} is not 1 to 64 visible ASCII characters without quotes",
            self.name
        )
    }
}

impl std::error::Error for InvalidPolicyName {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroU32;
    use std::time::Duration;

    #[test]
    fn names_are_what_a_header_string_can_hold() {
        let quota = Quota::new(NonZeroU32::new(100).unwrap(), Duration::from_mins(15)).unwrap();
        let check = |name: &str, valid: bool| {
            assert_eq!(Policy::new(name, quota).is_ok(), valid, "{name:?}");
        };
        check("api", true);
        check("5-in-1min;x", true);
        check(&"x".repeat(64), true);
        check(&"x".repeat(65), false);
        check("", false);
        check("a b", false);
        check("a\"b", false);
        check("a\\b", false);
        check("é", false);
        check("a\r\nb", false);
        assert_eq!(
            Policy::new("api", quota).unwrap().item(),
            "\"api\";q=100;w=900"
        );
    }
}
