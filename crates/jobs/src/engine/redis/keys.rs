//! Names of keys, as BullMQ has them.

use std::sync::Arc;

use crate::engine::Lease;
use crate::flow::JobRef;
use crate::names::{JobId, QueueName};

/// What every key begins with.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    prefix: Arc<str>,
}

impl Keys {
    pub(super) fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.into(),
        }
    }

    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// What all keys of a queue begin with.
    pub(super) fn base(&self, queue: &QueueName) -> String {
        format!("{}:{queue}:", self.prefix)
    }

    /// A key of a queue.
    pub(super) fn of(&self, queue: &QueueName, suffix: &str) -> String {
        format!("{}:{queue}:{suffix}", self.prefix)
    }

    /// The pattern that the settings of every queue fit.
    pub(super) fn settings_pattern(&self) -> String {
        let mut pattern = String::with_capacity(self.prefix.len() + 8);
        for character in self.prefix.chars() {
            if matches!(character, '*' | '?' | '[' | ']' | '\\') {
                pattern.push('\\');
            }
            pattern.push(character);
        }
        pattern.push_str(":*:meta");
        pattern
    }

    /// The queue that `key` belongs to, where `suffix` is the rest of it.
    pub(super) fn queue_of(&self, key: &str, suffix: &str) -> Option<QueueName> {
        let name = key
            .strip_prefix(&*self.prefix)?
            .strip_prefix(':')?
            .strip_suffix(suffix)?
            .strip_suffix(':')?;
        QueueName::new(name).ok()
    }

    /// The queue whose keys begin with `base`.
    pub(super) fn queue_of_base(&self, base: &str) -> Option<QueueName> {
        self.queue_of(&format!("{base}x"), "x")
    }

    /// The job that a key names: the id begins after the last colon.
    pub(super) fn job_ref(&self, key: &str) -> Option<JobRef> {
        let (queue, id) = key
            .strip_prefix(&*self.prefix)?
            .strip_prefix(':')?
            .rsplit_once(':')?;
        Some(JobRef {
            queue: QueueName::new(queue).ok()?,
            id: JobId::lookup(id),
        })
    }
}

/// What the lock of a job holds while the lease lasts: the worker and the number of the start.
pub(super) fn lock_value(lease: &Lease) -> String {
    format!("{}:{}", lease.token, lease.start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_name_their_queue_and_job() {
        let keys = Keys::new("bull");
        let queue = QueueName::new("emails").unwrap();
        assert_eq!(keys.base(&queue), "bull:emails:");
        assert_eq!(
            keys.queue_of("bull:emails:meta", "meta"),
            Some(queue.clone())
        );
        assert_eq!(keys.queue_of("other:emails:meta", "meta"), None);
        assert_eq!(keys.queue_of("bull:emails:17:meta", "meta"), None);
        assert_eq!(
            keys.job_ref("bull:emails:order-17"),
            Some(JobRef {
                queue,
                id: JobId::lookup("order-17"),
            })
        );
    }

    #[test]
    fn a_prefix_is_no_pattern() {
        assert_eq!(Keys::new("{b}*").settings_pattern(), "{b}\\*:*:meta");
    }
}
