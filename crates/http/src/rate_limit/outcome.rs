//! What a request costs once it is known how it ended.

use std::fmt;
use std::sync::Arc;

use http::{Response, StatusCode};
use http_body::Body;

/// How a request ended, as far as its cost may depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    status: StatusCode,
    body_bytes: u64,
    is_exact: bool,
}

impl Outcome {
    /// A request answered with this status, and a body of so many bytes.
    pub const fn new(status: StatusCode, body_bytes: u64) -> Self {
        Self {
            status,
            body_bytes,
            is_exact: true,
        }
    }

    /// What a response tells before it is sent.
    pub fn of<B: Body>(response: &Response<B>) -> Self {
        let size = response.body().size_hint();
        Self {
            status: response.status(),
            body_bytes: size.lower(),
            is_exact: size.exact().is_some(),
        }
    }

    /// The status of the answer.
    pub const fn status(self) -> StatusCode {
        self.status
    }

    /// The bytes of the answer's body: of a stream, what is known to come at least.
    pub const fn body_bytes(self) -> u64 {
        self.body_bytes
    }

    /// Whether [`body_bytes`](Self::body_bytes) is the whole body.
    pub const fn is_exact(self) -> bool {
        self.is_exact
    }
}

/// What a request costs in the end. Before it is answered, its policy's weight is reserved.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Cost {
    /// Its weight, however it ended. The default.
    #[default]
    Weight,
    /// Nothing when it was answered with a status below 400, else its weight.
    SkipSuccessful,
    /// Nothing when it was answered with a status of 400 or above, else its weight.
    SkipFailed,
    /// What this function says, given how it ended and its weight.
    Function(CostFunction),
}

/// See [`Cost::by`].
pub type CostFunction = Arc<dyn Fn(Outcome, u32) -> u32 + Send + Sync>;

impl Cost {
    /// What `cost` says, given how the request ended and its weight.
    ///
    /// ```
    /// use paceline_http::rate_limit::Cost;
    ///
    /// // One unit for each KiB of the answer.
    /// let bytes = Cost::by(|outcome, _| u32::try_from(outcome.body_bytes() / 1_024).unwrap_or(u32::MAX));
    /// ```
    pub fn by(cost: impl Fn(Outcome, u32) -> u32 + Send + Sync + 'static) -> Self {
        Self::Function(Arc::new(cost))
    }

    /// What a request of this weight costs in the end.
    pub fn of(&self, outcome: Outcome, weight: u32) -> u32 {
        let failed = outcome.status.as_u16() >= 400;
        match self {
            Self::SkipSuccessful if !failed => 0,
            Self::SkipFailed if failed => 0,
            Self::Function(cost) => cost(outcome, weight),
            _ => weight,
        }
    }

    /// Whether it is known before the answer.
    pub const fn is_fixed(&self) -> bool {
        matches!(self, Self::Weight)
    }
}

impl fmt::Debug for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Weight => "Weight",
            Self::SkipSuccessful => "SkipSuccessful",
            Self::SkipFailed => "SkipFailed",
            Self::Function(_) => "Function",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_decides_what_a_request_costs() {
        let check = |cost: &Cost, status: u16, expected: u32| {
            let outcome = Outcome::new(StatusCode::from_u16(status).unwrap(), 5_000);
            assert_eq!(cost.of(outcome, 3), expected, "{cost:?} {status}");
        };
        for (status, successful) in [
            (200, true),
            (304, true),
            (399, true),
            (400, false),
            (500, false),
        ] {
            check(&Cost::Weight, status, 3);
            check(
                &Cost::SkipSuccessful,
                status,
                if successful { 0 } else { 3 },
            );
            check(&Cost::SkipFailed, status, if successful { 3 } else { 0 });
            let by_size = Cost::by(|outcome, weight| {
                u32::try_from(outcome.body_bytes() / 1_000).unwrap() * weight
            });
            check(&by_size, status, 15);
        }
    }
}
