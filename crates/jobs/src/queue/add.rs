//! Adding jobs.

use std::sync::Arc;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::Queue;
use crate::engine::{Added, NewJob};
use crate::error::AddError;
use crate::options::JobOptions;

impl<T: Serialize> Queue<T> {
    /// Adds a job with the default options and answers once it is stored.
    ///
    /// # Errors
    /// [`AddError`]; nothing is stored then.
    pub async fn add(&self, name: &str, payload: &T) -> Result<Added, AddError> {
        self.add_with(name, payload, JobOptions::new()).await
    }

    /// Adds a job and answers once it is stored.
    ///
    /// # Errors
    /// [`AddError`]; nothing is stored then.
    ///
    /// # Panics
    /// When the engine answers fewer jobs than it took, which is a defect.
    pub async fn add_with(
        &self,
        name: &str,
        payload: &T,
        options: JobOptions,
    ) -> Result<Added, AddError> {
        let job = NewJob {
            name: name.to_owned(),
            data: encode(payload)?,
            options,
        };
        let mut added = self
            .engine
            .add(&self.name, vec![job], self.max_not_started)
            .await?;
        Ok(added.pop().expect("an engine answers every job it took"))
    }

    /// Adds several jobs, all or none, and answers once they are stored, in the order given.
    ///
    /// # Errors
    /// [`AddError`]; nothing is stored then.
    pub async fn add_bulk<'a, J>(&self, jobs: J) -> Result<Vec<Added>, AddError>
    where
        J: IntoIterator<Item = (&'a str, &'a T, JobOptions)>,
        T: 'a,
    {
        let job = |(name, payload, options): (&str, &T, JobOptions)| {
            Ok(NewJob {
                name: name.to_owned(),
                data: encode(payload)?,
                options,
            })
        };
        let jobs = jobs
            .into_iter()
            .map(job)
            .collect::<Result<Vec<_>, AddError>>()?;
        self.engine
            .add(&self.name, jobs, self.max_not_started)
            .await
    }
}

pub(super) fn encode<T: Serialize>(payload: &T) -> Result<Box<RawValue>, AddError> {
    to_raw_value(payload).map_err(|error| AddError::Encode(Arc::new(error)))
}
