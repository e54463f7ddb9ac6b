//! Writes: a transaction on one session, within the time the vendor gives.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::OwnedSemaphorePermit;

use super::database::{Broken, PlanetScaleDatabase, Shared, classify, server_error, text_of};
use super::error::PlanetScaleError;
use super::rows::Rows;
use super::transaction::{TRANSACTION_LIMIT, Transaction};
use crate::catalog::TableId;
use crate::cell::Row;
use crate::encode::RowEncoder;
use crate::run::RunError;
use crate::sql::SqlDialect;
use crate::statement::Statement;
use crate::write::server::{Met, Open, Outcome, Refused, detached, transact, write};
use crate::write::{ReadBack, Work, WriteError, WritePlan};

impl PlanetScaleDatabase {
    /// Runs a write in a transaction of its own. Once it has begun, dropping the future does not stop it.
    pub(crate) async fn write<E>(
        &self,
        plan: WritePlan,
        read_back: Option<ReadBack<E>>,
    ) -> Outcome<E>
    where
        E: RowEncoder + Send + 'static,
    {
        let deadline = Instant::now() + self.shared.query_timeout.min(TRANSACTION_LIMIT);
        let opening = begin(Arc::clone(&self.shared), self.place(deadline).await?);
        detached(write(opening, plan, read_back, deadline)).await
    }

    /// Runs work in a transaction of its own. Once it has begun, dropping the future does not stop it.
    pub(crate) async fn transact<T: Send + 'static>(&self, work: Work<T>) -> Result<T, WriteError> {
        let most = self.shared.query_timeout;
        let place = self.place(Instant::now() + most).await?;
        let opening = begin(Arc::clone(&self.shared), place);
        transact(opening, work, most).await
    }

    async fn place(&self, deadline: Instant) -> Result<OwnedSemaphorePermit, RunError> {
        let place = self.shared.place(deadline).await?;
        self.shared.counters.statement();
        Ok(place)
    }
}

/// A transaction on a session, and a place among those who ask. Dropped, it is undone in the background.
struct OnSession {
    transaction: Transaction,
    shared: Arc<Shared>,
    _place: OwnedSemaphorePermit,
}

async fn begin(shared: Arc<Shared>, place: OwnedSemaphorePermit) -> Result<OnSession, Refused> {
    let transaction = shared.client.begin(shared.deadline()).await?;
    Ok(OnSession {
        transaction,
        shared,
        _place: place,
    })
}

impl OnSession {
    async fn execute(&mut self, sql: &str) -> Result<Rows, PlanetScaleError> {
        self.transaction.execute(sql, self.shared.deadline()).await
    }
}

impl Open for OnSession {
    fn dialect(&self) -> SqlDialect {
        SqlDialect::MySql(self.shared.flavor)
    }

    async fn each<F>(&mut self, statement: &Statement, mut see: F) -> Result<Met, Refused>
    where
        F: FnMut(&dyn Row, usize) -> Result<(), RunError>,
    {
        let sql = text_of(statement).map_err(RunError::value)?;
        let rows = self.execute(&sql).await?;
        let seen = rows.each(|row| Ok::<(), Broken>(see(row, row.columns())?));
        seen.map_err(RunError::from)?;
        Ok(Met {
            rows: rows.affected(),
            counted: Some(rows.insert_id()),
        })
    }

    async fn control(&mut self, sql: &str) -> Result<(), Refused> {
        Ok(self.execute(sql).await.map(drop)?)
    }

    async fn commit(self, _: Option<TableId>) -> Result<(), Refused> {
        let ended = self.transaction.commit(self.shared.deadline()).await;
        ended.map_err(|error| {
            if error.may_have_happened() {
                // The answer is lost, and with it whether the write took place.
                RunError::database(error).into()
            } else {
                error.into()
            }
        })
    }

    async fn undo(self) {
        self.transaction.undo_after(()).await;
    }
}

impl From<PlanetScaleError> for Refused {
    fn from(error: PlanetScaleError) -> Self {
        match server_error(&error) {
            Some(refusal) => Self::Server(Box::new(refusal)),
            None => classify(error).into(),
        }
    }
}
