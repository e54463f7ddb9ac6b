//! Runs statements of others.

use std::time::{Duration, Instant};

use tokio::time::timeout_at;

use super::connection::TextConnection;
use super::error::{TextError, TextOpenError};
use super::exchange::{Answered, Messages, Most, State, Stopped};
use super::manager::TextManager;
use super::options::TextOptions;
use super::refusal::Refusal;
use super::result::TextResult;
use super::running::Running;
use super::traces::can_be_cleaned;
use super::transaction::Transaction;
use super::{TextQuery, arrays, role};
use crate::pool::{Closed, Pool, Statistics};
use crate::postgres::connect::PostgresManager;

/// How long connecting at the start may take.
const OPEN: Duration = Duration::from_secs(10);

/// What ends a batch's transaction in the middle.
const ENDED: &str = "a batch is one transaction: none of its statements may begin or end one";

/// A database in which statements of others run, each request on a connection lent for it alone.
#[derive(Debug)]
pub struct TextDatabase {
    pool: Pool<TextManager>,
    timeout: Duration,
    most: Most,
}

impl TextDatabase {
    /// Connects once, and looks at where that leads and as whom.
    ///
    /// # Errors
    /// [`TextOpenError`] says what to do: among others when the role is a superuser or may become one, and when the
    /// address leads to a pooler.
    pub async fn open(options: TextOptions) -> Result<Self, TextOpenError> {
        let deadline = Instant::now() + OPEN;
        let manager = PostgresManager::new(options.address.clone())?;
        role::examine(&manager, options.pool.clone(), deadline).await?;
        let milliseconds = options.statement_timeout.as_millis();
        let setting = format!("-c statement_timeout={milliseconds}");
        // The server itself takes it, and comes back to it when a session is cleaned.
        let address = options.address.with_options(&setting);
        let manager = TextManager(PostgresManager::new(address)?);
        Ok(Self {
            pool: Pool::new(manager, options.pool),
            timeout: options.statement_timeout,
            most: Most {
                bytes: options.max_bytes,
                rows: options.max_rows,
            },
        })
    }

    /// Runs one statement by itself. Dropping the future stops it.
    ///
    /// With `describe_arrays`, fields say what they are arrays of; for types of this database that costs a round trip.
    ///
    /// # Errors
    /// [`TextError`].
    pub async fn run(
        &self,
        query: &TextQuery,
        describe_arrays: bool,
    ) -> Result<TextResult, TextError> {
        let mut messages = Messages::default();
        messages.add(&query.sql, &query.values)?;
        let deadline = Instant::now() + self.timeout;
        let mut running = Running::new(self.pool.acquire(deadline).await?);
        let connection = running.connection();
        let working = async {
            let answered = connection.run(messages, self.most).await?;
            described(connection, answered, describe_arrays).await
        };
        let answered = self.timed(deadline, working).await?;
        let mut results = over(running, answered)?;
        Ok(results.pop().unwrap_or_default())
    }

    /// Runs statements in one transaction: all of them, or none. Dropping the future undoes them, unless they are
    /// being committed.
    ///
    /// # Errors
    /// [`TextError`].
    pub async fn batch(
        &self,
        queries: &[TextQuery],
        transaction: Transaction,
        describe_arrays: bool,
    ) -> Result<Vec<TextResult>, TextError> {
        let mut messages = Messages::default();
        messages.add(&transaction.begin(), &[])?;
        for query in queries {
            messages.add(&query.sql, &query.values)?;
        }
        let deadline = Instant::now() + self.timeout;
        let mut running = Running::new(self.pool.acquire(deadline).await?);
        let connection = running.connection();
        let working = async {
            let answered = connection.run(messages, self.most).await?;
            let answered = ended(connection, answered).await?;
            described(connection, answered, describe_arrays).await
        };
        let answered = self.timed(deadline, working).await?;
        let mut results = over(running, answered)?;
        // That of the statement which began it.
        results.remove(0);
        Ok(results)
    }

    async fn timed(
        &self,
        deadline: Instant,
        working: impl Future<Output = Result<Answered, Stopped>>,
    ) -> Result<Answered, TextError> {
        match timeout_at(deadline.into(), working).await {
            Ok(Ok(answered)) => Ok(answered),
            Ok(Err(Stopped::Lost(error))) => Err(TextError::Lost(error)),
            Ok(Err(Stopped::TooLarge(most))) => Err(TextError::TooLarge(most)),
            Ok(Err(Stopped::Refused(refusal))) => Err(refusal.into()),
            Err(_) => Err(TextError::Timeout(self.timeout)),
        }
    }

    /// How busy its connections are.
    pub fn statistics(&self) -> Statistics {
        self.pool.statistics()
    }

    /// Takes no more statements and closes the connections.
    pub async fn close(&self, deadline: Instant) -> Closed {
        self.pool.close(deadline).await
    }
}

/// Ends the transaction of a batch: commits it when nothing was wrong.
async fn ended(
    connection: &mut TextConnection,
    mut answered: Answered,
) -> Result<Answered, Stopped> {
    let is_end = |result: &TextResult| {
        matches!(
            result.tag(),
            "BEGIN" | "START TRANSACTION" | "COMMIT" | "PREPARE TRANSACTION"
        )
    };
    let was_ended = answered.state == State::Idle || answered.results.iter().skip(1).any(is_end);
    if answered.refusal.is_none() && was_ended {
        answered.refusal = Some(Refusal::ours("25001", ENDED));
    }
    let end = match answered.refusal {
        None => "COMMIT",
        Some(_) => "ROLLBACK",
    };
    let end = connection.command(end).await?;
    answered.state = end.state;
    // A constraint may be judged only now.
    answered.refusal = answered.refusal.or(end.refusal);
    Ok(answered)
}

async fn described(
    connection: &mut TextConnection,
    mut answered: Answered,
    describe_arrays: bool,
) -> Result<Answered, Stopped> {
    if describe_arrays && answered.refusal.is_none() {
        arrays::note(connection, &mut answered.results).await;
    }
    Ok(answered)
}

/// The statements are over: what becomes of the connection, and what they gave.
fn over(running: Running, answered: Answered) -> Result<Vec<TextResult>, TextError> {
    let tags = answered.results.iter().map(TextResult::tag);
    let is_cleanable = answered.state == State::Idle && tags.into_iter().all(can_be_cleaned);
    if is_cleanable {
        running.clean();
    } else {
        drop(running);
    }
    match answered.refusal {
        Some(refusal) => Err(refusal.into()),
        None => Ok(answered.results),
    }
}
