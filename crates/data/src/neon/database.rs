//! A database over HTTP, open.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::client::NeonClient;
use super::error::{NeonError, NeonOpenError};
use super::export;
use super::options::NeonOptions;
use super::query::NeonQuery;
use super::result::NeonResult;
use super::row::{Reader, TextRow};
use crate::catalog::Catalog;
use crate::catalog::postgres::{Ask, ReadError, read};
use crate::cell::Row as _;
use crate::encode::RowEncoder;
use crate::plan::ExportPages;
use crate::postgres::meaning;
use crate::run::{Answer, Counters, Counts, RowStream, RunError};
use crate::statement::{Statement, Value};

/// The client and what is counted. There are no connections to close that anybody would miss.
#[derive(Debug)]
pub(crate) struct NeonDatabase {
    pub(super) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) client: NeonClient,
    pub(super) counters: Counters,
    pub(super) query_timeout: Duration,
    writable: bool,
    pub(super) exports: Arc<Semaphore>,
    pub(super) stall_timeout: Duration,
}

/// The client with the deadline of the reading of the schema.
struct Reading<'a>(&'a NeonClient, Instant);

impl Ask for Reading<'_> {
    type Error = NeonError;

    async fn texts(&self, sql: &str) -> Result<Vec<String>, NeonError> {
        let result = self.0.read(&NeonQuery::new(sql), self.1).await?;
        let text = |row: super::NeonRow<'_>| row.text(0).map(str::to_owned);
        let texts: Option<Vec<String>> = result.rows().map(text).collect();
        texts.ok_or(NeonError::Protocol(None))
    }
}

impl NeonDatabase {
    /// Reads the schema.
    pub(crate) async fn open(options: NeonOptions) -> Result<(Self, Arc<Catalog>), NeonOpenError> {
        let client = NeonClient::new(options.address)?;
        let deadline = Instant::now() + options.open_timeout;
        let catalog = read(&Reading(&client, deadline)).await;
        let catalog = catalog.map_err(|error| match error {
            ReadError::Database(error) => NeonOpenError::Schema(error),
            ReadError::Form(error) => NeonOpenError::Form(error),
        })?;
        let most = options.max_exports.get().min(Semaphore::MAX_PERMITS);
        let shared = Shared {
            client,
            counters: Counters::default(),
            query_timeout: options.query_timeout,
            writable: options.writable,
            exports: Arc::new(Semaphore::new(most)),
            stall_timeout: options.export_stall_timeout,
        };
        let database = Self {
            shared: Arc::new(shared),
        };
        Ok((database, Arc::new(catalog)))
    }

    /// Runs one statement and encodes its rows. Dropping the future closes its connection; the endpoint then stops the
    /// statement.
    pub(crate) async fn run<E: RowEncoder>(
        &self,
        statement: &Statement,
        mut encoder: E,
    ) -> Result<Answer<E>, RunError> {
        let deadline = Instant::now() + self.shared.query_timeout;
        let result = self.shared.ask(statement, deadline).await?;
        let mut bytes = Vec::new();
        encoder.begin(&mut bytes);
        let rows = encode(&result, &mut encoder, &mut bytes)?;
        encoder.end(&mut bytes);
        self.shared.counters.rows(rows);
        Ok(Answer {
            encoder,
            bytes,
            rows,
        })
    }

    /// Hands rows out in frames: page by page where the plan says how, else in one answer of the endpoint.
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
        export::start(&self.shared, statement, pages, encoder, frame_size).await
    }

    /// Whether the endpoint answers, and the database behind it.
    pub(crate) async fn is_readable(&self) -> bool {
        let deadline = Instant::now() + self.shared.query_timeout;
        let query = NeonQuery::new("SELECT 1");
        self.shared.client.read(&query, deadline).await.is_ok()
    }

    /// Whether it was opened for writing.
    pub(crate) fn is_writable(&self) -> bool {
        self.shared.writable
    }

    pub(crate) fn counts(&self) -> Counts {
        self.shared.counters.read()
    }

    /// Starts no more exports.
    pub(crate) fn close(&self) {
        self.shared.exports.close();
    }
}

impl Shared {
    /// Sends a statement of a plan that reads.
    pub(super) async fn ask(
        &self,
        statement: &Statement,
        deadline: Instant,
    ) -> Result<NeonResult, RunError> {
        let query =
            NeonQuery::of(statement).ok_or_else(|| RunError::value("a value is not UTF-8"))?;
        self.counters.statement();
        let result = self.client.read(&query, deadline).await;
        result.map_err(|error| classify(error, deadline))
    }
}

/// Encodes all rows of a result; answers how many.
pub(super) fn encode<E: RowEncoder>(
    result: &NeonResult,
    encoder: &mut E,
    bytes: &mut Vec<u8>,
) -> Result<u64, RunError> {
    let readers = Reader::of(result.fields());
    let mut rows = 0;
    for row in result.rows() {
        let row = TextRow::read(row, &readers, result.fields()).map_err(RunError::database)?;
        crate::run::encode(encoder, &row, bytes)?;
        rows += 1;
    }
    Ok(rows)
}

/// The rows of a result.
pub(super) fn values(result: &NeonResult) -> Result<Vec<Vec<Value>>, RunError> {
    let readers = Reader::of(result.fields());
    let row = |row| {
        let row = TextRow::read(row, &readers, result.fields()).map_err(RunError::database)?;
        let values = (0..readers.len()).map(|column| Value::from(row.cell(column)));
        Ok(values.collect())
    };
    result.rows().map(row).collect()
}

/// What an error means to the caller.
pub(super) fn classify(error: NeonError, deadline: Instant) -> RunError {
    match &error {
        NeonError::Refused(refusal) => match refusal.code.clone() {
            Some(code) => meaning(&code, error),
            None => RunError::database(error),
        },
        NeonError::Http(cause) if cause.is_late() && Instant::now() >= deadline => {
            RunError::timeout()
        }
        _ if error.is_unreachable() => RunError::unreachable(error),
        NeonError::TooLarge => RunError::too_large(),
        _ => RunError::database(error),
    }
}
