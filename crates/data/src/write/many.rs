//! Many rows created in one transaction, a statement for as many as fit.

use super::changes::{Assignment, Changes};
use super::constraint::Constraint;
use super::error::WriteError;
use super::plan::{WritePlan, Writes};
use super::session::{Change, ChangeKind};
use super::transaction::{Told, Transaction};

/// Rows of one statement.
pub const MOST_ROWS_A_STATEMENT: usize = 500;
/// Values of one statement: SQLite takes 32,766 and PostgreSQL 65,535.
const MOST_VALUES: usize = 30_000;

/// One row of many could not be created: nothing of them is stored.
#[derive(Debug)]
pub struct RowRefused {
    /// Which, from 0 among those given; `None` where it is not about one of them.
    pub row: Option<usize>,
    /// Why.
    pub error: WriteError,
}

impl From<WriteError> for RowRefused {
    fn from(error: WriteError) -> Self {
        Self { row: None, error }
    }
}

impl Writes<'_> {
    /// Creates rows in order, in as few statements as there are changes of columns, each of
    /// [`MOST_ROWS_A_STATEMENT`] rows at most. Answers the changes in the same order.
    ///
    /// # Errors
    /// [`RowRefused`]: the first row that breaks a rule.
    pub fn create_all(
        self,
        transaction: &mut dyn Transaction,
        mut rows: Vec<Changes>,
    ) -> Result<Vec<Change>, RowRefused> {
        let mut made = Vec::with_capacity(rows.len());
        for batch in batches(&mut rows) {
            let before = made.len();
            let created = self.create_batch(transaction, batch);
            made.extend(created.map_err(|refused| RowRefused {
                row: refused.row.map(|row| before + row),
                ..refused
            })?);
        }
        Ok(made)
    }

    fn create_batch(
        self,
        transaction: &mut dyn Transaction,
        batch: &[Changes],
    ) -> Result<Vec<Change>, RowRefused> {
        if !transaction.dialect().returns_inserted() {
            return self.insert_each(transaction, batch);
        }
        let plan = self.create_many(batch);
        let told = Told::of(&plan);
        match transaction.attempt(&plan.statement, &told) {
            Ok(rows) if rows.len() == batch.len() => {
                let changes = rows.into_iter();
                return Ok(changes
                    .map(|row| plan.change(ChangeKind::Created, row))
                    .collect());
            }
            // A trigger left some out: which, is told one by one.
            Ok(_) | Err(WriteError::Constraint(_)) => {}
            Err(error) => return Err(error.into()),
        }
        for (row, changes) in batch.iter().enumerate() {
            let alone = self.create(changes);
            let refused = |error| RowRefused {
                row: Some(row),
                error,
            };
            let found = transaction.rows(&alone.statement, &told).map_err(refused)?;
            if found.is_empty() {
                return Err(refused(WriteError::Constraint(Constraint::refused())));
            }
        }
        // Alone each of them would do.
        Err(WriteError::Constraint(Constraint::refused()).into())
    }

    /// One by one, where a statement does not tell the keys of several rows.
    fn insert_each(
        self,
        transaction: &mut dyn Transaction,
        batch: &[Changes],
    ) -> Result<Vec<Change>, RowRefused> {
        let rows = batch.iter().enumerate();
        rows.map(|(row, changes)| {
            let written = transaction.write(&self.create(changes));
            written
                .map(|written| written.change)
                .map_err(|error| RowRefused {
                    row: Some(row),
                    error,
                })
        })
        .collect()
    }

    /// Creates the rows of one of [`batches`].
    pub(crate) fn create_many(self, batch: &[Changes]) -> WritePlan {
        let mut plan = self.create(&batch[0]);
        if batch.len() > 1 {
            plan.statement = self.insert_many(batch);
        }
        plan
    }
}

/// The rows, statement by statement.
pub(crate) fn batches(rows: &mut [Changes]) -> impl Iterator<Item = &[Changes]> {
    for row in &mut *rows {
        row.assignments.sort_by_key(|one| one.column);
    }
    let mut rest: &[Changes] = rows;
    std::iter::from_fn(move || {
        let length = (!rest.is_empty()).then(|| batch_length(rest))?;
        let (batch, others) = rest.split_at(length);
        rest = others;
        Some(batch)
    })
}

/// How many of the rows, at least one, go into one statement: as long as they name the same columns.
fn batch_length(rows: &[Changes]) -> usize {
    let columns = |row: &Changes| -> Vec<usize> {
        let columns = row.assignments.iter();
        columns.map(|one: &Assignment| one.column).collect()
    };
    let first = columns(&rows[0]);
    if first.is_empty() {
        return 1;
    }
    let most = (MOST_VALUES / first.len()).clamp(1, MOST_ROWS_A_STATEMENT);
    let same = rows
        .iter()
        .take(most)
        .take_while(|row| columns(row) == first);
    same.count()
}
