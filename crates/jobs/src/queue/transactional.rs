//! Adding jobs together with the application's own rows.

use rusqlite::Transaction;
use serde::Serialize;

use super::Queue;
use super::add::encode;
use crate::engine::{Added, NewJob};
use crate::error::{AddError, EngineError};
use crate::options::JobOptions;

impl<T: Serialize> Queue<T> {
    /// Adds a job in a transaction of the application on the job store's own file: the job is there if the
    /// transaction commits. What to mind is said at [`SqliteEngine::add_in`](crate::SqliteEngine::add_in).
    ///
    /// ```
    /// use paceline_jobs::rusqlite::{Connection, TransactionBehavior};
    /// use paceline_jobs::{EngineHandle, JobOptions, Queue, SqliteOptions};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("shop.db");
    /// let mut shop = Connection::open(&path)?;
    /// shop.execute_batch("CREATE TABLE orders (id INTEGER PRIMARY KEY)")?;
    /// let engine = EngineHandle::from(SqliteOptions::new(&path).shared().open()?);
    /// let queue: Queue<i64> = Queue::new(&engine, "mails")?;
    ///
    /// let order = shop.transaction_with_behavior(TransactionBehavior::Immediate)?;
    /// order.execute("INSERT INTO orders VALUES (17)", [])?;
    /// let added = queue.add_in(&order, "confirm", &17, JobOptions::new())?;
    /// assert!(queue.get(&added.id).await?.is_none());
    /// order.commit()?;
    /// assert!(queue.get(&added.id).await?.is_some());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`AddError`]; the transaction then has nothing of the job and can go on, unless SQLite rolled it back as a
    /// whole, the application's writes with it: it may do so on a full disk or an I/O error, and `is_autocommit` of
    /// the connection is then `true`. On an engine elsewhere
    /// [`EngineError::Unsupported`]: use an [`Outbox`](crate::Outbox).
    ///
    /// # Panics
    /// When the engine answers fewer jobs than it took, which is a defect.
    pub fn add_in(
        &self,
        transaction: &Transaction<'_>,
        name: &str,
        payload: &T,
        options: JobOptions,
    ) -> Result<Added, AddError> {
        let Some(engine) = self.engine.as_sqlite() else {
            let what = "adds in a transaction of the application";
            return Err(EngineError::Unsupported(what).into());
        };
        let job = NewJob {
            name: name.to_owned(),
            data: encode(payload)?,
            options,
        };
        let mut added = engine.add_within(transaction, &self.name, &[job], self.max_not_started)?;
        Ok(added.pop().expect("an engine answers every job it took"))
    }
}
