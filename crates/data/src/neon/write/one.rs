//! A write of one row: a statement that carries its precondition, the row read back, all in one batch.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::database::{NeonDatabase, Shared, encode, values};
use super::super::query::NeonQuery;
use super::super::result::NeonResult;
use super::refusal::Stopped;
use super::wrap::{self, Written as Wrapped};
use crate::encode::RowEncoder;
use crate::postgres::text::Transaction;
use crate::run::{Answer, RunError};
use crate::statement::{Statement, Value};
use crate::version::Touched;
use crate::write::{ChangeKind, Constraint, ReadBack, Told, WriteError, WritePlan, Written};

/// How much longer than a statement may take its answer is waited for: the server itself stops the statement, and
/// that is an answer, while a lost one leaves unknown what was done.
const ANSWER: Duration = Duration::from_secs(2);

type Outcome<E> = Result<(Written, Option<Answer<E>>), WriteError>;

impl NeonDatabase {
    /// Runs a write. Once it has begun, dropping the future does not stop it.
    pub(crate) async fn write<E>(
        &self,
        plan: WritePlan,
        read_back: Option<ReadBack<E>>,
    ) -> Outcome<E>
    where
        E: RowEncoder + Send + 'static,
    {
        let shared = Arc::clone(&self.shared);
        let writing = async move {
            let deadline = Instant::now() + shared.query_timeout;
            shared.write(&plan, read_back, deadline).await
        };
        let written = tokio::spawn(writing).await;
        written.unwrap_or_else(|_| Err(RunError::stopped().into()))
    }
}

impl Shared {
    async fn write<E: RowEncoder>(
        &self,
        plan: &WritePlan,
        mut read_back: Option<ReadBack<E>>,
        deadline: Instant,
    ) -> Outcome<E> {
        loop {
            let Some((merged, comparison)) = self.merge(plan, deadline).await? else {
                break;
            };
            let batch = Batch {
                plan: &merged,
                statement: &merged.statement,
                kind: plan.kind,
                before: comparison.as_ref(),
            };
            match self.attempt(batch, &mut read_back, deadline).await {
                Err(Stopped::LeftOut) => break,
                // Somebody else's write came between: theirs is what is merged into now.
                Err(Stopped::Changed) => {}
                outcome => return outcome.map_err(Stopped::into_error),
            }
        }
        let current = match &plan.current {
            Some(current) => self.version(current, deadline).await?,
            None => None,
        };
        plan.judge_absence(current)?;
        let Some(insert) = &plan.otherwise else {
            return Err(WriteError::Constraint(Constraint::refused()));
        };
        let batch = Batch {
            plan,
            statement: insert,
            kind: ChangeKind::Created,
            before: None,
        };
        let outcome = self.attempt(batch, &mut read_back, deadline).await;
        outcome.map_err(Stopped::into_error)
    }

    /// The plan with its patches merged into what the row holds, and what makes sure that it still holds it; `None`
    /// where there is no row to merge them into.
    async fn merge(
        &self,
        plan: &WritePlan,
        deadline: Instant,
    ) -> Result<Option<(WritePlan, Option<Statement>)>, RunError> {
        let mut merged = plan.clone();
        let Some(merge) = &plan.merge else {
            return Ok(Some((merged, None)));
        };
        let result = self.ask(&merge.read, deadline).await?;
        let Some(row) = result.rows().next() else {
            return Ok(None);
        };
        let text = |column| row.text(column).map(str::to_owned);
        let held: Vec<Option<String>> = (0..result.fields().len()).map(text).collect();
        let comparison = wrap::unchanged(&merge.read, &held);
        let of_text = |text: Option<String>| text.map_or(Value::Null, Value::Text);
        merged.merge_into(held.into_iter().map(of_text).collect());
        Ok(Some((merged, Some(comparison))))
    }

    /// Sends the batch. What is read back is taken only when the row was written.
    async fn attempt<E: RowEncoder>(
        &self,
        batch: Batch<'_>,
        read_back: &mut Option<ReadBack<E>>,
        deadline: Instant,
    ) -> Result<(Written, Option<Answer<E>>), Stopped> {
        let Batch { plan, mut kind, .. } = batch;
        let statements = batch.statements(read_back.as_ref());
        let results = self.batch(&statements, &Told::of(plan), deadline).await?;
        let mut results = results.into_iter().skip(batch.place());
        let row = first_row(results.next())?;
        let mut row = row.ok_or_else(|| RunError::database("the batch tells of no row"))?;
        row.truncate(plan.told_length());
        if plan.replaces_or_creates && row.pop() != Some(Value::Integer(1)) {
            kind = ChangeKind::Updated;
        }
        let change = plan.change(kind, row);
        let version = match batch.version() {
            Some(_) => first_row(results.next())?,
            None => None,
        };
        let written = Written {
            change,
            row_version: version.and_then(text),
            touched: Touched::All,
        };
        let answer = match (results.next(), read_back.take()) {
            (Some(result), Some(ReadBack { encoder, .. })) => Some(self.encoded(&result, encoder)?),
            _ => None,
        };
        Ok((written, answer))
    }

    /// Sends statements as one transaction, each bound by the deadline.
    pub(super) async fn batch(
        &self,
        statements: &[Statement],
        told: &Told,
        deadline: Instant,
    ) -> Result<Vec<NeonResult>, Stopped> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Stopped::Failed(RunError::timeout().into()));
        }
        let limit = wrap::time_limit(left);
        let queries = std::iter::once(&limit).chain(statements).map(NeonQuery::of);
        let Some(queries) = queries.collect::<Option<Vec<_>>>() else {
            let error = RunError::value("a value is not UTF-8");
            return Err(Stopped::Failed(error.into()));
        };
        self.counters.statement();
        let until = deadline + ANSWER;
        let sending = self.client.batch(&queries, Transaction::default(), until);
        let results = sending.await;
        let mut results = results.map_err(|error| Stopped::of(error, told, until))?;
        results.remove(0);
        Ok(results)
    }

    fn encoded<E: RowEncoder>(
        &self,
        result: &NeonResult,
        mut encoder: E,
    ) -> Result<Answer<E>, RunError> {
        let mut bytes = Vec::new();
        encoder.begin(&mut bytes);
        let rows = encode(result, &mut encoder, &mut bytes)?;
        encoder.end(&mut bytes);
        self.counters.rows(rows);
        Ok(Answer {
            encoder,
            bytes,
            rows,
        })
    }

    async fn version(
        &self,
        statement: &Statement,
        deadline: Instant,
    ) -> Result<Option<String>, RunError> {
        let rows = values(&self.ask(statement, deadline).await?)?;
        Ok(rows.into_iter().next().and_then(text))
    }
}

/// The statements of one write.
#[derive(Clone, Copy)]
struct Batch<'a> {
    plan: &'a WritePlan,
    /// That of the plan, or the one that creates the row otherwise.
    statement: &'a Statement,
    kind: ChangeKind,
    before: Option<&'a Statement>,
}

impl Batch<'_> {
    /// How many statements are in front of the one that writes.
    fn place(self) -> usize {
        usize::from(self.before.is_some())
    }

    fn statements<E>(self, read_back: Option<&ReadBack<E>>) -> Vec<Statement> {
        let writing = Wrapped {
            statement: self.statement,
            told: self.plan.told_length(),
            rows: 1,
            key: self.plan.key_length,
        };
        let version = self.version();
        let row = read_back.filter(|_| self.leaves_a_row());
        let before = self.before.cloned();
        let statements = before.into_iter().chain([writing.wrap()]);
        let statements = statements.chain(version.map(|sql| wrap::of_written(sql, Vec::new())));
        let row = row.map(|row| wrap::of_written(&row.sql, row.values.clone()));
        statements.chain(row).collect()
    }

    /// Reads the version of the row written.
    fn version(&self) -> Option<&str> {
        let sql = self.plan.version_sql.as_deref();
        sql.filter(|_| self.kind != ChangeKind::Deleted)
    }

    /// Whether there is a row to be found by its key afterwards.
    fn leaves_a_row(&self) -> bool {
        self.kind != ChangeKind::Deleted && self.plan.key_length > 0
    }
}

fn first_row(result: Option<NeonResult>) -> Result<Option<Vec<Value>>, RunError> {
    let Some(result) = result else {
        return Ok(None);
    };
    Ok(values(&result)?.into_iter().next())
}

fn text(mut row: Vec<Value>) -> Option<String> {
    match row.pop() {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    }
}
