//! Where the process runs, and how many connections fit there.

use std::num::NonZeroUsize;
use std::time::Duration;

/// Where the process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// A machine of its own, or a container: many requests at once.
    Server,
    /// AWS Lambda: one request at a time, and frozen in between.
    Lambda,
    /// AWS Lambda on managed instances: so many requests at once.
    ManagedInstances(NonZeroUsize),
}

impl Place {
    /// What this process's environment says.
    pub fn current() -> Self {
        Self::of(|name| std::env::var(name).ok())
    }

    /// What the variables say that Lambda sets: `AWS_LAMBDA_RUNTIME_API` or `AWS_LAMBDA_FUNCTION_NAME`, and
    /// `AWS_LAMBDA_MAX_CONCURRENCY` on managed instances, where 1 and what is no number mean one at a time.
    ///
    /// ```
    /// use paceline_data::pool::Place;
    ///
    /// let lambda = Place::of(|name| (name == "AWS_LAMBDA_RUNTIME_API").then(|| "127.0.0.1:9001".to_owned()));
    /// assert_eq!(lambda, Place::Lambda);
    /// assert_eq!(lambda.connections().get(), 1);
    /// ```
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let is_set = |name| variable(name).is_some_and(|value| !value.is_empty());
        if !is_set("AWS_LAMBDA_RUNTIME_API") && !is_set("AWS_LAMBDA_FUNCTION_NAME") {
            return Self::Server;
        }
        let at_once = variable("AWS_LAMBDA_MAX_CONCURRENCY")
            .and_then(|value| value.trim().parse().ok())
            .filter(|at_once: &NonZeroUsize| at_once.get() > 1);
        at_once.map_or(Self::Lambda, Self::ManagedInstances)
    }

    /// How many connections a pool has here: one on Lambda, one for each request at once on managed instances; on
    /// a server two for each processor, at least 4 and at most 16. More do not make a database faster.
    pub fn connections(self) -> NonZeroUsize {
        match self {
            Self::Server => {
                let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
                NonZeroUsize::new(processors.saturating_mul(2).clamp(4, 16))
                    .unwrap_or(NonZeroUsize::MIN)
            }
            Self::Lambda => NonZeroUsize::MIN,
            Self::ManagedInstances(at_once) => at_once,
        }
    }
}

/// How long connecting may take before the first request, when the platform leaves `remaining` for the start: at
/// most a second, and never more than half of what is left. Whether it works is not waited for beyond that: the
/// first request connects then.
pub fn start_budget(remaining: Duration) -> Duration {
    (remaining / 2).min(Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_where_we_are() {
        let at = |variables: &[(&str, &str)]| {
            Place::of(|name| {
                let found = variables.iter().find(|variable| variable.0 == name);
                found.map(|variable| variable.1.to_owned())
            })
        };
        let api = ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001");
        let at_once = |value| ("AWS_LAMBDA_MAX_CONCURRENCY", value);
        assert_eq!(at(&[]), Place::Server);
        assert_eq!(at(&[at_once("4")]), Place::Server);
        assert_eq!(at(&[("AWS_LAMBDA_FUNCTION_NAME", "f")]), Place::Lambda);
        for none in ["", "0", "1", "many"] {
            assert_eq!(at(&[api, at_once(none)]), Place::Lambda);
        }
        assert_eq!(at(&[api, at_once("8")]).connections().get(), 8);
        assert!((4..=16).contains(&Place::Server.connections().get()));
    }

    #[test]
    fn the_start_is_not_spent_on_connecting() {
        for (remaining, budget) in [(10_000, 1_000), (800, 400), (0, 0)] {
            let found = start_budget(Duration::from_millis(remaining));
            assert_eq!(found, Duration::from_millis(budget));
        }
    }
}
