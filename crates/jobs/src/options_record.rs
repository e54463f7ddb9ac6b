//! Job options as they are stored until their job is made: by schedulers and in an outbox.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::deduplication::Deduplication;
use crate::flow::ChildFailure;
use crate::names::{Fingerprint, GroupName, InvalidName, JobId};
use crate::options::{IdempotencyKey, JobOptions};
use crate::retention::Retention;
use crate::retry::Backoff;

/// [`JobOptions`] with a stored form.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct OptionsRecord {
    #[serde(skip_serializing_if = "is_default")]
    delay: Duration,
    #[serde(skip_serializing_if = "is_default")]
    priority: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backoff: Option<Backoff>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency: Option<(String, Fingerprint, Duration)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_completed: Option<Retention>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_failed: Option<Retention>,
    #[serde(skip_serializing_if = "is_default")]
    lifo: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deduplication: Option<Deduplication>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_logs: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    #[serde(skip_serializing_if = "is_default")]
    on_failure: ChildFailure,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl OptionsRecord {
    /// What is stored of `options`.
    pub(crate) fn of(options: &JobOptions) -> Self {
        let options = options.clone();
        Self {
            delay: options.delay,
            priority: options.priority,
            attempts: options.attempts,
            backoff: options.backoff,
            id: options.id.map(|id| id.as_str().to_owned()),
            idempotency: options
                .idempotency
                .map(|key| (key.key, key.fingerprint, key.hold)),
            keep_completed: options.keep_completed,
            keep_failed: options.keep_failed,
            lifo: options.lifo,
            timeout: options.timeout,
            deduplication: options.deduplication,
            keep_logs: options.keep_logs,
            group: options.group.map(|group| group.as_str().to_owned()),
            on_failure: options.on_failure,
        }
    }

    /// The options meant.
    pub(crate) fn into_options(self) -> Result<JobOptions, InvalidName> {
        Ok(JobOptions {
            delay: self.delay,
            priority: self.priority,
            attempts: self.attempts,
            backoff: self.backoff,
            id: self.id.map(JobId::lookup),
            idempotency: self
                .idempotency
                .map(|(key, fingerprint, hold)| IdempotencyKey {
                    key,
                    fingerprint,
                    hold,
                }),
            keep_completed: self.keep_completed,
            keep_failed: self.keep_failed,
            lifo: self.lifo,
            timeout: self.timeout,
            deduplication: self.deduplication,
            keep_logs: self.keep_logs,
            group: self.group.map(GroupName::new).transpose()?,
            on_failure: self.on_failure,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_come_back_as_they_were() {
        let all = JobOptions::new()
            .delay(Duration::from_millis(5))
            .priority(3)
            .attempts(4)
            .backoff(Backoff::fixed(Duration::from_secs(1)).with_jitter(0.5))
            .id("own")
            .unwrap()
            .idempotency(IdempotencyKey {
                key: "k".to_owned(),
                fingerprint: Fingerprint::of(b"request"),
                hold: Duration::from_hours(1),
            })
            .keep_completed(Retention::NONE)
            .keep_failed(Retention::FAILED)
            .lifo()
            .timeout(Duration::from_secs(9))
            .deduplication(Deduplication::simple("d").unwrap())
            .keep_logs(7)
            .group(GroupName::new("g").unwrap())
            .on_failure(ChildFailure::FailParent);
        for options in [all, JobOptions::new()] {
            let text = serde_json::to_string(&OptionsRecord::of(&options)).unwrap();
            let record: OptionsRecord = serde_json::from_str(&text).unwrap();
            assert_eq!(record.into_options().unwrap(), options, "{text}");
        }
        let plain = serde_json::to_string(&OptionsRecord::of(&JobOptions::new())).unwrap();
        assert_eq!(plain, "{}");
    }
}
