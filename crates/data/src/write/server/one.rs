//! A write in a transaction of its own: the statement that carries its precondition, the row read back, one commit.

use std::time::Instant;

use tokio::time::timeout_at;

use super::row::{encode, write_row};
use super::{Fault, Open, Refused};
use crate::encode::RowEncoder;
use crate::run::{Answer, RunError};
use crate::statement::Statement;
use crate::write::{ReadBack, WriteError, WritePlan, Written};

/// How often a write is begun again. Of those who wait for each other at least one goes on each time.
const AGAIN: u32 = 10;

/// What a write answers, with its row where that is read back.
pub(crate) type Outcome<E> = Result<(Written, Option<Answer<E>>), WriteError>;

/// Lets work go on when nobody waits for it any more.
pub(crate) async fn detached<T: Send + 'static>(
    work: impl Future<Output = Result<T, WriteError>> + Send + 'static,
) -> Result<T, WriteError> {
    let done = tokio::spawn(work).await;
    // It panicked: the transaction was undone as it was dropped.
    done.unwrap_or_else(|_| Err(RunError::stopped().into()))
}

/// Runs a write in the transaction that `opening` begins, and commits it. All but the commit is done by `deadline`, or
/// undone.
pub(crate) async fn write<O: Open, E: RowEncoder>(
    opening: impl Future<Output = Result<O, Refused>>,
    plan: WritePlan,
    read_back: Option<ReadBack<E>>,
    deadline: Instant,
) -> Outcome<E> {
    let (names, table) = (plan.names.clone(), plan.table);
    let late = |_| WriteError::from(RunError::timeout());
    let opened = timeout_at(deadline.into(), opening).await.map_err(late)?;
    let mut open = opened.map_err(|refused| refused.told(&names))?;
    let applying = apply(&mut open, plan, read_back);
    // Dropped when it is late.
    let applied = timeout_at(deadline.into(), applying).await.map_err(late)?;
    let ended = match applied {
        Ok(written) => open.commit(Some(table)).await.map(|()| written),
        Err(refused) => {
            open.undo().await;
            Err(refused)
        }
    };
    ended.map_err(|refused| refused.told(&names))
}

async fn apply<O: Open, E: RowEncoder>(
    open: &mut O,
    plan: WritePlan,
    read_back: Option<ReadBack<E>>,
) -> Result<(Written, Option<Answer<E>>), Refused> {
    let written = write_until_done(open, &plan).await?;
    let Some(read_back) = read_back.filter(|_| written.can_be_read()) else {
        return Ok((written, None));
    };
    let ReadBack {
        sql,
        mut values,
        mut encoder,
    } = read_back;
    values.extend_from_slice(&written.change.key);
    let (bytes, rows) = encode(open, &Statement { sql, values }, &mut encoder).await?;
    let answer = Answer {
        encoder,
        bytes,
        rows,
    };
    Ok((written, Some(answer)))
}

/// Writes the row, and again where the server undid it all so that others could go on. Then nothing of it is there.
async fn write_until_done<O: Open>(open: &mut O, plan: &WritePlan) -> Result<Written, Refused> {
    let mut left = AGAIN;
    loop {
        // What is merged into a row is put into the plan.
        let mut merged = Box::new(plan.clone());
        match write_row(open, &mut merged).await {
            Err(refused) if left > 0 && refused.fault() == Some(Fault::Deadlock) => {
                left -= 1;
                open.control("ROLLBACK").await?;
                open.control("START TRANSACTION").await?;
            }
            ended => return ended,
        }
    }
}
