//! A database at `PlanetScale`, open.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mysql_async::ServerError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout_at;

use super::client::{ClientOptions, PlanetScaleClient};
use super::error::PlanetScaleError;
use super::options::{PlanetScaleOpenError, PlanetScaleOptions};
use super::rows::Rows;
use super::session::{PlanetScaleSession, Repeat};
use crate::catalog::Catalog;
use crate::catalog::mysql::{Source, Told, read};
use crate::cell::Row;
use crate::encode::RowEncoder;
use crate::mysql::bound::Misfit;
use crate::mysql::connect::session::flavor;
use crate::mysql::error::meaning;
use crate::mysql::text::Text;
use crate::plan::ExportPages;
use crate::run::paged::{self, WholeAnswers};
use crate::run::{Answer, Counters, Counts, Exports, RowStream, RunError, encode};
use crate::sql::MySqlFlavor;
use crate::statement::Statement;

/// The largest answer, in bytes: what one page of an export, or of a list, may need.
const MAX_ANSWER: usize = 32 * 1024 * 1024;

/// The client, and what bounds its use.
#[derive(Debug)]
pub(crate) struct PlanetScaleDatabase {
    pub(super) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) client: PlanetScaleClient,
    pub(super) counters: Arc<Counters>,
    pub(super) query_timeout: Duration,
    pub(super) flavor: MySqlFlavor,
    requests: Arc<Semaphore>,
    exports: Exports,
    writable: bool,
}

/// A session that is asked for the schema before a deadline.
struct Reading(PlanetScaleSession, Instant);

impl Source for Reading {
    type Error = PlanetScaleError;

    async fn rows(&mut self, sql: &str) -> Result<Vec<Told>, PlanetScaleError> {
        let rows = self.0.execute(sql, Repeat::Allowed, self.1).await?;
        texts(&rows).map_err(|error| PlanetScaleError::unreadable(&self.0.inner().server, error))
    }

    fn is_refusal(error: &PlanetScaleError) -> bool {
        error.refusal().is_some()
    }
}

/// All values as text.
fn texts(rows: &Rows) -> Result<Vec<Told>, serde_json::Error> {
    let mut all = Vec::new();
    rows.each(|row| {
        let text = |index| {
            let sent = row.sent(index)?;
            Some(String::from_utf8_lossy(sent).into_owned())
        };
        all.push((0..row.columns()).map(text).collect());
        Ok::<(), serde_json::Error>(())
    })?;
    Ok(all)
}

impl PlanetScaleDatabase {
    /// Reads the schema.
    pub(crate) async fn open(
        options: PlanetScaleOptions,
    ) -> Result<(Self, Arc<Catalog>), PlanetScaleOpenError> {
        let bounds = ClientOptions {
            max_answer: MAX_ANSWER,
            ..ClientOptions::default()
        };
        let client = PlanetScaleClient::new(options.address, bounds)?;
        let deadline = Instant::now() + options.open_timeout;
        let mut reading = Reading(client.session(deadline).await?, deadline);
        let told = reading.rows("SELECT VERSION(), @@session.sql_mode").await?;
        let mut told = told.into_iter().flatten().map(Option::unwrap_or_default);
        let (version, mode) = (told.next(), told.next());
        if options.writable && !mode.is_some_and(|mode| mode.contains("STRICT_")) {
            return Err(PlanetScaleOpenError::Lax);
        }
        let flavor = flavor(&version.unwrap_or_default());
        let catalog = read(&mut reading, flavor).await?;
        drop(reading);
        let counters = Arc::<Counters>::default();
        let requests = options.requests.get().min(Semaphore::MAX_PERMITS);
        let shared = Shared {
            client,
            query_timeout: options.query_timeout,
            flavor,
            requests: Arc::new(Semaphore::new(requests)),
            exports: Exports::new(
                options.max_exports,
                options.export_stall_timeout,
                Arc::clone(&counters),
            ),
            counters,
            writable: options.writable,
        };
        let shared = Arc::new(shared);
        Ok((Self { shared }, Arc::new(catalog)))
    }

    /// Runs one statement and encodes its rows. Dropping the future closes its connection; the vendor then stops the
    /// statement.
    pub(crate) async fn run<E: RowEncoder>(
        &self,
        statement: &Statement,
        mut encoder: E,
    ) -> Result<Answer<E>, RunError> {
        let deadline = self.shared.deadline();
        let _place = self.shared.place(deadline).await?;
        let found = self.shared.read(statement, deadline).await?;
        let (mut bytes, mut rows) = (Vec::new(), 0);
        encoder.begin(&mut bytes);
        Shared::each(&found, |row| {
            rows += 1;
            encode(&mut encoder, row, &mut bytes)
        })?;
        encoder.end(&mut bytes);
        self.shared.counters.rows(rows);
        Ok(Answer {
            encoder,
            bytes,
            rows,
        })
    }

    /// Hands rows out in frames: page by page where the plan says how, else in one answer.
    pub(crate) async fn export<E>(
        &self,
        statement: Statement,
        pages: Option<ExportPages>,
        encoder: E,
        frame_size: usize,
    ) -> Result<RowStream, RunError>
    where
        E: RowEncoder + Send + 'static,
    {
        let answers = Arc::clone(&self.shared);
        let asked = (statement, pages);
        paged::export(answers, &self.shared.exports, asked, encoder, frame_size).await
    }

    /// Whether it answers in time.
    pub(crate) async fn is_readable(&self) -> bool {
        let (client, deadline) = (&self.shared.client, self.shared.deadline());
        let answer = client.execute("SELECT 1", Repeat::Allowed, deadline).await;
        answer.is_ok()
    }

    /// Whether it was opened for writing.
    pub(crate) fn is_writable(&self) -> bool {
        self.shared.writable
    }

    pub(crate) fn counts(&self) -> Counts {
        self.shared.counters.read()
    }

    /// Takes no more statements. There are no connections to close that anybody would miss.
    pub(crate) fn close(&self) {
        self.shared.requests.close();
        self.shared.exports.close();
    }
}

impl Shared {
    /// When a query that begins now has taken as long as it may.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.query_timeout
    }

    /// A place among those who ask.
    pub(super) async fn place(&self, deadline: Instant) -> Result<OwnedSemaphorePermit, RunError> {
        let place = Arc::clone(&self.requests).acquire_owned();
        match timeout_at(deadline.into(), place).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) => Err(RunError::stopped()),
            Err(_) => Err(RunError::overloaded()),
        }
    }

    /// Sends a statement that only reads.
    async fn read(&self, statement: &Statement, deadline: Instant) -> Result<Rows, RunError> {
        let sql = text_of(statement).map_err(RunError::value)?;
        self.counters.statement();
        let rows = self.client.execute(&sql, Repeat::Allowed, deadline).await;
        rows.map_err(classify)
    }
}

impl WholeAnswers for Shared {
    type Rows = Rows;

    async fn ask(&self, statement: &Statement) -> Result<Rows, RunError> {
        let deadline = Instant::now() + self.exports.stall();
        self.read(statement, deadline).await
    }

    fn each(
        rows: &Rows,
        mut see: impl FnMut(&dyn Row) -> Result<(), RunError>,
    ) -> Result<(), RunError> {
        rows.each(|row| Ok::<(), Broken>(see(row)?))?;
        Ok(())
    }
}

/// The statement with its values in it, as a session reads them that was looked at before its first statement.
pub(super) fn text_of(statement: &Statement) -> Result<String, Misfit> {
    let text = Text::of(&statement.sql);
    let values = text.values(statement)?;
    Ok(text.filled(&values, false))
}

/// Why rows were not read to their end.
pub(super) struct Broken(RunError);

impl From<RunError> for Broken {
    fn from(error: RunError) -> Self {
        Self(error)
    }
}

impl From<serde_json::Error> for Broken {
    fn from(error: serde_json::Error) -> Self {
        Self(RunError::database(error))
    }
}

impl From<Broken> for RunError {
    fn from(Broken(error): Broken) -> Self {
        error
    }
}

/// What an error means to the caller.
pub(super) fn classify(error: PlanetScaleError) -> RunError {
    if let Some(refusal) = server_error(&error) {
        return meaning(refusal);
    }
    if error.is_late() {
        return RunError::timeout();
    }
    if error.is_too_large() {
        tracing::warn!(%error, "more than the way to the database lets through at once");
        return RunError::too_large();
    }
    if error.is_unavailable() || error.is_throttled() || error.is_unauthorized() {
        return RunError::unreachable(error);
    }
    let code = error.refusal().map(|refusal| refusal.code().to_owned());
    match code.as_deref() {
        Some("Unavailable" | "UNAVAILABLE" | "ResourceExhausted" | "RESOURCE_EXHAUSTED") => {
            RunError::unreachable(error)
        }
        Some("DeadlineExceeded" | "DEADLINE_EXCEEDED" | "Canceled" | "CANCELED") => {
            RunError::timeout()
        }
        Some("Aborted" | "ABORTED") => RunError::busy(error),
        _ => RunError::database(error),
    }
}

/// The refusal as the driver would have it, where it is MySQL's own.
pub(super) fn server_error(error: &PlanetScaleError) -> Option<ServerError> {
    let refusal = error.refusal()?;
    Some(ServerError {
        code: refusal.number()?,
        message: refusal.description().to_owned(),
        state: refusal.state()?.to_owned(),
    })
}
