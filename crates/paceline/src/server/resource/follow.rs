//! The job that follows a write: the row as clients may see it, stored in the same transaction.

use std::sync::Arc;

use paceline_data::plan::OnePlan;
use paceline_data::resource::{Resource, Resources};
use paceline_data::write::{ChangeKind, Transaction, WriteError};
use paceline_data::{RunError, Value};
use paceline_jobs::engine::NewJob;
use paceline_jobs::{Clock as _, JobOptions, Limits, OutboxEntry, SystemClock};
use serde_json::value::RawValue;

use crate::config::{Event, Events};
use crate::server::outbox;

/// What follows the writes of one resource.
#[derive(Debug, Clone)]
pub(in crate::server) struct Follow {
    events: Arc<Events>,
    plan: OnePlan,
    key_length: usize,
}

impl Follow {
    /// `None` where nothing does.
    pub(in crate::server) fn of(
        resources: &Resources,
        resource: &Resource,
        events: &Arc<Events>,
    ) -> Option<Self> {
        (!events.is_empty()).then(|| Self {
            events: Arc::clone(events),
            plan: OnePlan::whole(resources, resource),
            key_length: resource.key.len(),
        })
    }

    /// Whether a row has to be read before it is gone.
    pub(super) fn reads_deleted(&self) -> bool {
        self.events.delete.is_some()
    }

    /// The row of this key as a JSON object; `None` when there is none, or rows have no key.
    pub(super) fn read(
        &self,
        transaction: &mut dyn Transaction,
        key: &[Value],
    ) -> Result<Option<Vec<u8>>, WriteError> {
        if key.is_empty() || key.len() != self.key_length {
            return Ok(None);
        }
        let mut statement = self.plan.statement.clone();
        statement.values.clear();
        statement.values.extend_from_slice(key);
        let (row, count) = transaction.encode(&statement, &mut self.plan.encoder())?;
        Ok((count > 0).then_some(row))
    }

    /// Adds the job that follows, if one does. `gone` is the row that was deleted.
    pub(super) fn add(
        &self,
        transaction: &mut dyn Transaction,
        (kind, key): (ChangeKind, &[Value]),
        gone: Option<Vec<u8>>,
    ) -> Result<(), WriteError> {
        let Some(event) = self.event(kind) else {
            return Ok(());
        };
        let row = match kind {
            ChangeKind::Deleted => gone,
            _ => self.read(transaction, key)?,
        };
        let row = row.unwrap_or_else(|| b"{}".to_vec());
        let unusable = |error: Box<dyn std::error::Error + Send + Sync>| {
            WriteError::Run(RunError::other(error))
        };
        let data = String::from_utf8(row).map_err(|error| unusable(error.into()))?;
        let job = NewJob {
            name: event.job.clone(),
            data: RawValue::from_string(data).map_err(|error| unusable(error.into()))?,
            options: JobOptions::new(),
        };
        let entry = OutboxEntry::new(&event.queue, job, &Limits::default(), SystemClock.now());
        outbox::put(transaction, entry.map_err(|error| unusable(error.into()))?)
    }

    fn event(&self, kind: ChangeKind) -> Option<&Event> {
        match kind {
            ChangeKind::Created => self.events.insert.as_ref(),
            ChangeKind::Updated => self.events.update.as_ref(),
            ChangeKind::Deleted => self.events.delete.as_ref(),
            _ => None,
        }
    }
}
