//! What of a configuration cannot work in processes that are many, frozen, and gone without notice.

use std::fmt;

use crate::config::{Config, JobStoreUrl, LimitStore};
use crate::server::SecretOrigin;

/// Why a configuration is not for AWS Lambda.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unfit {
    /// A stable name.
    pub code: &'static str,
    /// What it is and what to use.
    pub text: String,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.text)
    }
}

/// What would be lost, or count for one process only.
pub(super) fn unfit(config: &Config) -> Vec<Unfit> {
    let mut found = Vec::new();
    found.extend(
        config
            .jobs
            .as_ref()
            .and_then(|jobs| embedded_jobs(&jobs.url)),
    );
    let in_memory = config
        .limits
        .iter()
        .filter(|limit| limit.store == LimitStore::Memory);
    let names: Vec<&str> = in_memory.map(|limit| limit.name.as_str()).collect();
    if !names.is_empty() {
        found.push(Unfit {
            code: "lambda-memory-limits",
            text: format!(
                "the limits {} are counted in memory, by each environment of the function for itself: count them on a \
                 Redis server (`store = \"redis\"`)",
                names.join(", ")
            ),
        });
    }
    found
}

/// A job store that goes with the process.
pub(crate) fn embedded_jobs(url: &JobStoreUrl) -> Option<Unfit> {
    matches!(url, JobStoreUrl::Sqlite(_)).then(|| Unfit {
        code: "lambda-embedded-jobs",
        text: format!(
            "the job store {url} is a file of one process, and on AWS Lambda it goes with it: use a Redis server \
             (redis://HOST:6379)"
        ),
    })
}

/// A secret that only this process has.
pub(super) fn unfit_secret(origin: &SecretOrigin) -> Option<Unfit> {
    match origin {
        SecretOrigin::Environment | SecretOrigin::Configuration => None,
        _ => Some(Unfit {
            code: "lambda-own-secret",
            text: "each environment of the function would sign cursors and login tokens with a secret of its own, which \
                   the others refuse: set PACELINE_SECRET"
                .to_owned(),
        }),
    }
}

/// What is left out there, for people.
pub(super) fn warnings(config: &Config) -> Vec<String> {
    let mut found = Vec::new();
    if config.sql.is_some() {
        found.push("[sql] listens by itself, and is not served on AWS Lambda".to_owned());
    }
    if !config.workers.is_empty() {
        let text = "[[workers]] do not run on AWS Lambda, where the process is frozen between events: schedule a function \
                    that runs `paceline jobs work QUEUE --http TARGET --until-empty --max-time TIME`, or keep a worker running \
                    elsewhere";
        found.push(text.to_owned());
    }
    if config.email.is_some() {
        let text = "mails are delivered only while requests are answered on AWS Lambda, and count against a limit of each \
                    environment: run `paceline serve` with the same [jobs] elsewhere to deliver them";
        found.push(text.to_owned());
    }
    found
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn codes(text: &str) -> Vec<&'static str> {
        let config = Config::parse(text, "paceline.toml", Path::new("."), &|_| None);
        let config = config.unwrap_or_else(|mistakes| panic!("{mistakes}"));
        unfit(&config).iter().map(|unfit| unfit.code).collect()
    }

    const DATABASE: &str = "[database]\nurl = \"postgres://app@db.example/shop\"\n";

    #[test]
    fn what_goes_with_the_process_is_refused_by_name() {
        assert_eq!(codes(DATABASE), [""; 0]);
        let jobs = |url: &str| codes(&format!("{DATABASE}[jobs]\nurl = \"{url}\"\n"));
        assert_eq!(jobs("redis://cache.example:6379"), [""; 0]);
        assert_eq!(jobs("sqlite:jobs.db"), ["lambda-embedded-jobs"]);
        let demo = crate::demo::config(Path::new("demo"), crate::demo::Limits::Browsing);
        let demo: Vec<_> = unfit(&demo).iter().map(|unfit| unfit.code).collect();
        assert_eq!(demo, ["lambda-embedded-jobs", "lambda-memory-limits"]);
    }

    #[test]
    fn a_secret_must_be_everybodys() {
        assert_eq!(unfit_secret(&SecretOrigin::Environment), None);
        let own = unfit_secret(&SecretOrigin::KeyFile("state/secret.key".into()));
        let told = own.map(|unfit| unfit.to_string()).unwrap_or_default();
        assert!(
            told.starts_with("lambda-own-secret: ") && told.contains("PACELINE_SECRET"),
            "{told}"
        );
    }
}
