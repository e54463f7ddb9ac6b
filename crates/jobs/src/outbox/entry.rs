//! A job as a row of an outbox, in whatever database that is.

use serde_json::value::RawValue;

use crate::clock::Timestamp;
use crate::engine::NewJob;
use crate::engine::checks::check_jobs;
use crate::error::{AddError, EngineError};
use crate::limits::Limits;
use crate::names::{JobId, QueueName};
use crate::options::JobOptions;
use crate::options_record::OptionsRecord;

/// The columns of an outbox, for databases this crate has no driver for: write them in the application's transaction,
/// and move them to the engine later, in order, deleting each row once the engine has answered. A job that is sent
/// twice is one job, for it has its id already.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutboxEntry {
    /// The id the job will have.
    pub id: String,
    /// Its queue.
    pub queue: String,
    /// The kind of work.
    pub name: String,
    /// The payload, as JSON.
    pub data: String,
    /// How it is to be run, as JSON.
    pub options: String,
    /// When it was written, in milliseconds since 1970: a delay counts from then.
    pub created_at: i64,
}

impl OutboxEntry {
    /// The row of a job. The id is random unless the options name one.
    ///
    /// # Errors
    /// [`AddError`]: an engine with these limits would refuse it.
    pub fn new(
        queue: &QueueName,
        mut job: NewJob,
        limits: &Limits,
        now: Timestamp,
    ) -> Result<Self, AddError> {
        check_jobs(std::slice::from_ref(&job), limits)?;
        let id = job.options.id.take().unwrap_or_else(|| JobId::fresh(now));
        let options = serde_json::to_string(&OptionsRecord::of(&job.options))
            .map_err(|_| EngineError::Damaged("job option"))?;
        Ok(Self {
            id: id.as_str().to_owned(),
            queue: queue.as_str().to_owned(),
            name: job.name,
            data: job.data.get().to_owned(),
            options,
            created_at: now.as_millis(),
        })
    }

    /// A row as it was read; `columns` are id, queue, name, data and options.
    pub fn of_row(columns: [String; 5], created_at: i64) -> Self {
        let [id, queue, name, data, options] = columns;
        Self {
            id,
            queue,
            name,
            data,
            options,
            created_at,
        }
    }

    /// The job, to be added now.
    ///
    /// # Errors
    /// What of the row cannot be read: somebody else wrote it.
    pub fn into_job(self, now: Timestamp) -> Result<(QueueName, NewJob), &'static str> {
        let queue = QueueName::new(self.queue).map_err(|_| "queue name")?;
        let data = RawValue::from_string(self.data).map_err(|_| "payload")?;
        let record: OptionsRecord =
            serde_json::from_str(&self.options).map_err(|_| "job option")?;
        let mut options: JobOptions = record.into_options().map_err(|_| "job option")?;
        options.id = Some(JobId::lookup(self.id));
        let passed = now.saturating_since(Timestamp::from_millis(self.created_at));
        options.delay = options.delay.saturating_sub(passed);
        let job = NewJob {
            name: self.name,
            data,
            options,
        };
        Ok((queue, job))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn job(delay: Duration) -> NewJob {
        NewJob {
            name: "welcome".to_owned(),
            data: RawValue::from_string("{\"a\":1}".to_owned()).unwrap(),
            options: JobOptions::new().delay(delay),
        }
    }

    #[test]
    fn what_is_written_is_read_with_its_id_and_the_rest_of_its_delay() {
        let (written, read) = (Timestamp::from_millis(1_000), Timestamp::from_millis(4_000));
        let queue = QueueName::new("emails").unwrap();
        let new = job(Duration::from_secs(5));
        let entry = OutboxEntry::new(&queue, new, &Limits::default(), written).unwrap();
        let columns = [
            entry.id.clone(),
            entry.queue.clone(),
            entry.name.clone(),
            entry.data.clone(),
            entry.options.clone(),
        ];
        assert_eq!(OutboxEntry::of_row(columns, 1_000), entry);
        let (found, job) = entry.clone().into_job(read).unwrap();
        assert_eq!(found, queue);
        assert_eq!(job.options.id.unwrap().as_str(), entry.id);
        assert_eq!(job.options.delay, Duration::from_secs(2));
        assert_eq!(job.data.get(), "{\"a\":1}");
    }

    #[test]
    fn what_somebody_else_wrote_is_named() {
        let row = |columns: [&str; 5]| {
            let entry = OutboxEntry::of_row(columns.map(str::to_owned), 0);
            entry.into_job(Timestamp::from_millis(0)).unwrap_err()
        };
        assert_eq!(row(["1", "", "n", "{}", "{}"]), "queue name");
        assert_eq!(row(["1", "q", "n", "{", "{}"]), "payload");
        assert_eq!(row(["1", "q", "n", "{}", "["]), "job option");
    }
}
