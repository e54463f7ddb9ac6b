//! One row written inside a transaction.

use std::sync::Arc;

use super::{Fault, Met, Open, Refused};
use crate::cell::Row;
use crate::encode::RowEncoder;
use crate::run::{RunError, encode as encode_row};
use crate::statement::{Statement, Value};
use crate::version::Touched;
use crate::write::{ChangeKind, Constraint, Precondition, WriteError, WritePlan, Written};

/// Writes the row, and tells what became of it.
pub(super) async fn write_row<O: Open>(
    open: &mut O,
    plan: &mut WritePlan,
) -> Result<Written, Refused> {
    merge(open, plan).await?;
    let mut kind = plan.kind;
    let gone = gone(open, plan).await?;
    let mut key = create(open, plan).await?;
    if key.is_some() {
        kind = ChangeKind::Created;
    } else {
        key = match run(open, &plan.statement).await {
            Ok(done) => key_of(done, plan)?,
            Err(refused) => {
                judge_duplicate(open, plan, refused.fault()).await?;
                return Err(refused);
            }
        };
    }
    if let Some(told) = key.as_mut().filter(|_| plan.replaces_or_creates) {
        // The last column is whether the row is new.
        if told.pop() != Some(Value::Integer(1)) {
            kind = ChangeKind::Updated;
        }
    }
    if key.is_none() {
        let current = match &plan.current {
            Some(current) => version(open, current).await?,
            None => None,
        };
        plan.judge_absence(current)?;
        if let Some(insert) = &plan.otherwise {
            kind = ChangeKind::Created;
            judge_held(open, plan).await?;
            // Where another row is in the way, this says by which rule.
            let done = run(open, insert).await?;
            key = key_of(done, plan)?;
        }
    }
    let Some(mut key) = key else {
        return Err(WriteError::Constraint(Constraint::refused()).into());
    };
    let row = match &plan.key_sql {
        Some(sql) if kind != ChangeKind::Deleted && plan.is_told_by_reading(&key) => {
            key.truncate(plan.key_length);
            stored(open, sql, key).await?
        }
        _ => gone.unwrap_or(key),
    };
    let change = plan.change(kind, row);
    let row_version = match &plan.version_sql {
        Some(sql) if kind != ChangeKind::Deleted => {
            let of_key = Statement {
                sql: Arc::clone(sql),
                values: change.key.clone(),
            };
            version(open, &of_key).await?
        }
        _ => None,
    };
    Ok(Written {
        change,
        row_version,
        touched: Touched::All,
    })
}

/// The bytes of a statement's rows, and how many they are.
pub(super) async fn encode<O: Open, E: RowEncoder + ?Sized>(
    open: &mut O,
    statement: &Statement,
    encoder: &mut E,
) -> Result<(Vec<u8>, u64), Refused> {
    let (mut bytes, mut rows) = (Vec::new(), 0);
    encoder.begin(&mut bytes);
    open.each(statement, |row, _| {
        rows += 1;
        encode_row(encoder, row, &mut bytes)
    })
    .await?;
    encoder.end(&mut bytes);
    Ok((bytes, rows))
}

/// All values of a row.
pub(super) fn values(row: &dyn Row, columns: usize) -> Vec<Value> {
    (0..columns)
        .map(|column| Value::from(row.cell(column)))
        .collect()
}

/// Creates the row where that comes first, and gives its key; nothing where a row was there, which is locked now.
async fn create<O: Open>(open: &mut O, plan: &WritePlan) -> Result<Option<Vec<Value>>, Refused> {
    let Some(insert) = &plan.first else {
        return Ok(None);
    };
    match run(open, insert).await {
        Ok(_) => Ok(plan.key.iter().cloned().collect()),
        Err(refused) if refused.fault() == Some(Fault::Met) => Ok(None),
        Err(refused) => Err(refused),
    }
}

/// Where a row was to be created unless it is there, and some row was: whether it is that one.
async fn judge_duplicate<O: Open>(
    open: &mut O,
    plan: &WritePlan,
    fault: Option<Fault>,
) -> Result<(), Refused> {
    if plan.precondition != Precondition::IfNoneMatchAny || fault != Some(Fault::Duplicate) {
        return Ok(());
    }
    if let Some(current) = &plan.current
        && let Some(current) = version(open, current).await?
    {
        plan.judge_absence(Some(current))?;
    }
    judge_held(open, plan).await
}

/// Whether the row to be created is there, and somebody else's.
async fn judge_held<O: Open>(open: &mut O, plan: &WritePlan) -> Result<(), Refused> {
    match &plan.held {
        Some(held) if run(open, held).await?.row.is_some() => Err(WriteError::NotFound.into()),
        _ => Ok(()),
    }
}

/// What a statement has done.
struct Done {
    /// Its first row, where it gives rows.
    row: Option<Vec<Value>>,
    met: Met,
}

/// The key of the row written; nothing where none was met.
fn key_of(done: Done, plan: &WritePlan) -> Result<Option<Vec<Value>>, WriteError> {
    if done.row.is_some() || done.met.rows == 0 {
        return Ok(done.row);
    }
    let counted = done.met.counted.filter(|counted| *counted > 0);
    let mut counted = counted.and_then(|number| i64::try_from(number).ok());
    let parts = plan.key.iter().cloned().map(|part| match part {
        None | Some(Value::Null) => counted.take().map(Value::Integer),
        given => given,
    });
    // MySQL does not say what a default came to. MariaDB does.
    let key: Option<Vec<Value>> = parts.collect();
    if key.is_none() {
        let unknown = "the server made the key of the row and does not tell it";
        return Err(RunError::database(unknown).into());
    }
    Ok(key)
}

/// The key as it is stored, for the one addressed may differ in the case of letters; the owner follows where that
/// decides who is told.
async fn stored<O: Open>(
    open: &mut O,
    sql: &Arc<str>,
    key: Vec<Value>,
) -> Result<Vec<Value>, Refused> {
    let addressed = Statement {
        sql: Arc::clone(sql),
        values: key,
    };
    let found = run(open, &addressed).await?;
    Ok(found.row.unwrap_or(addressed.values))
}

/// What is told of a row that is to be deleted, read while it is there; nothing where the key says it.
async fn gone<O: Open>(open: &mut O, plan: &WritePlan) -> Result<Option<Vec<Value>>, Refused> {
    let key: Option<Vec<Value>> = plan.key.iter().cloned().collect();
    match (&plan.key_sql, key) {
        (Some(sql), Some(key))
            if plan.kind == ChangeKind::Deleted && plan.is_told_by_reading(&key) =>
        {
            Ok(Some(stored(open, sql, key).await?))
        }
        _ => Ok(None),
    }
}

/// Merges patches of JSON columns into what the row holds, which stays locked from here on.
async fn merge<O: Open>(open: &mut O, plan: &mut WritePlan) -> Result<(), Refused> {
    let Some(merge) = &plan.merge else {
        return Ok(());
    };
    if let Some(row) = run(open, &merge.read).await?.row {
        plan.merge_into(row);
    }
    Ok(())
}

async fn version<O: Open>(open: &mut O, statement: &Statement) -> Result<Option<String>, Refused> {
    let done = run(open, statement).await?;
    Ok(done.row.and_then(|mut row| match row.pop() {
        Some(Value::Text(version)) => Some(version),
        _ => None,
    }))
}

/// Runs a statement to its end, and keeps its first row.
async fn run<O: Open>(open: &mut O, statement: &Statement) -> Result<Done, Refused> {
    let mut first = None;
    let met = open
        .each(statement, |row, columns| {
            first.get_or_insert_with(|| values(row, columns));
            Ok(())
        })
        .await?;
    Ok(Done { row: first, met })
}
