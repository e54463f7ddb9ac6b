//! Many rows created as one batch, a statement for as many as fit.

use std::sync::Arc;
use std::time::Instant;

use super::super::database::{NeonDatabase, Shared, values};
use super::super::result::NeonResult;
use super::refusal::Stopped;
use super::wrap::{self, Written as Wrapped};
use crate::run::RunError;
use crate::statement::Statement;
use crate::write::{
    Change, ChangeKind, Changes, RowRefused, Told, WriteError, WritePlan, Writes, batches,
};

impl NeonDatabase {
    /// Creates rows in order. Once it has begun, dropping the future does not stop it.
    pub(crate) async fn create_all(
        &self,
        writes: Writes<'_>,
        mut rows: Vec<Changes>,
        deadline: Option<Instant>,
    ) -> Result<Vec<Change>, RowRefused> {
        let usual = || Instant::now() + self.shared.query_timeout;
        let deadline = deadline.unwrap_or_else(usual);
        let plans: Vec<Made> = batches(&mut rows)
            .map(|batch| Made::of(writes, batch))
            .collect();
        let Some(told) = plans.first().map(|made| Told::of(&made.plan)) else {
            return Ok(Vec::new());
        };
        let statements: Vec<Statement> = plans.iter().map(Made::statement).collect();
        let shared = Arc::clone(&self.shared);
        let telling = told.clone();
        let sending = async move { shared.batch(&statements, &telling, deadline).await };
        let sent = tokio::spawn(sending).await;
        match sent.unwrap_or_else(|_| Err(RunError::stopped().into())) {
            Ok(results) => changes(&plans, &results).map_err(|error| WriteError::Run(error).into()),
            Err(stopped @ (Stopped::LeftOut | Stopped::Failed(WriteError::Constraint(_)))) => {
                let first = Refused {
                    rows: rows.len(),
                    stopped,
                };
                Err(self
                    .shared
                    .refused(writes, &mut rows, &told, first, deadline)
                    .await)
            }
            Err(stopped) => Err(stopped.into_error().into()),
        }
    }
}

/// One statement of several rows.
struct Made {
    plan: WritePlan,
    rows: usize,
}

impl Made {
    fn of(writes: Writes<'_>, batch: &[Changes]) -> Self {
        Self {
            plan: writes.create_many(batch),
            rows: batch.len(),
        }
    }

    fn statement(&self) -> Statement {
        let writing = Wrapped {
            statement: &self.plan.statement,
            told: self.plan.told_length(),
            rows: self.rows,
            key: 0,
        };
        writing.wrap()
    }
}

fn changes(plans: &[Made], results: &[NeonResult]) -> Result<Vec<Change>, RunError> {
    let mut changes = Vec::new();
    for (made, result) in plans.iter().zip(results) {
        let rows = values(result)?.into_iter();
        changes.extend(rows.map(|row| made.plan.change(ChangeKind::Created, row)));
    }
    Ok(changes)
}

/// So many rows, from the first one, are refused.
struct Refused {
    rows: usize,
    stopped: Stopped,
}

impl Shared {
    /// Finds the row that is refused. The error of a batch does not tell: it is looked for by halves, which are tried and
    /// undone.
    async fn refused(
        &self,
        writes: Writes<'_>,
        rows: &mut [Changes],
        told: &Told,
        first: Refused,
        deadline: Instant,
    ) -> RowRefused {
        let all = first.rows;
        let (mut good, mut bad, mut was_tried) = (0, first, false);
        while bad.rows - good > 1 || (bad.rows == all && !was_tried) {
            let middle = if bad.rows - good > 1 {
                good.midpoint(bad.rows)
            } else {
                bad.rows
            };
            let mut statements: Vec<Statement> = batches(&mut rows[..middle])
                .map(|batch| Made::of(writes, batch).statement())
                .collect();
            statements.push(wrap::undo());
            match self.batch(&statements, told, deadline).await {
                // What no row is refused for is found at the commit: which row it is about is not told.
                Err(Stopped::Undone) if middle == all => return bad.stopped.into_error().into(),
                Err(Stopped::Undone) => good = middle,
                Err(stopped @ (Stopped::LeftOut | Stopped::Failed(WriteError::Constraint(_)))) => {
                    was_tried = true;
                    bad = Refused {
                        rows: middle,
                        stopped,
                    };
                }
                // It cannot be found out now. That they are refused is known.
                Ok(_) | Err(_) => return bad.stopped.into_error().into(),
            }
        }
        RowRefused {
            row: Some(bad.rows - 1),
            error: bad.stopped.into_error(),
        }
    }
}
