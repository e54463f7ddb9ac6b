//! Many independent writes in one transaction: one `fsync` for all, a savepoint for each.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::Connection;

use super::session::Session;
use crate::version::{Touched, Versions};

/// A write that waits for its turn.
pub(super) trait Job: Send {
    /// Whether anybody still waits for the answer.
    fn is_wanted(&self) -> bool;
    /// Runs the write; the tables it touched, or `None` when it must be undone.
    fn apply(&mut self, session: &mut Session) -> Option<Touched>;
    /// Answers. Called once, after the fate of the transaction is known.
    fn finish(self: Box<Self>, end: End<'_>);
}

/// How the transaction of a group ended.
#[derive(Debug, Clone, Copy)]
pub(super) enum End<'a> {
    /// What was applied is stored.
    Committed,
    /// The transaction could not be begun or committed: nothing is stored.
    Failed(&'a rusqlite::Error),
    /// The database rolled the transaction back in the middle: nothing is stored.
    RolledBack,
}

/// Runs and answers all jobs, in one transaction if the database lets it.
pub(super) fn commit(session: &mut Session, versions: &Versions, mut jobs: Vec<Box<dyn Job>>) {
    jobs.retain(|job| job.is_wanted());
    while !jobs.is_empty() {
        let rest = commit_together(session, versions, &mut jobs);
        jobs = rest;
    }
}

/// Runs and answers the jobs up to the first one that ends the transaction; answers the others back.
fn commit_together(
    session: &mut Session,
    versions: &Versions,
    jobs: &mut Vec<Box<dyn Job>>,
) -> Vec<Box<dyn Job>> {
    if let Err(error) = control(&session.connection, "BEGIN IMMEDIATE") {
        finish(jobs.drain(..), End::Failed(&error));
        return Vec::new();
    }
    session.catch_up(versions);
    let mut touched: Option<Touched> = None;
    for number in 0..jobs.len() {
        let applied = apply(session, jobs[number].as_mut());
        if session.connection.is_autocommit() {
            // Out of space, or a `ROLLBACK` in the schema: what came before in this transaction is gone too.
            let rest = jobs.split_off(number + 1);
            finish(jobs.drain(..), End::RolledBack);
            return rest;
        }
        if let Some(applied) = applied {
            touched
                .get_or_insert_with(|| Touched::Tables(Vec::new()))
                .merge(&applied);
        }
    }
    let outcome = match touched {
        Some(touched) => make_visible(session, versions, &touched),
        None => control(&session.connection, "ROLLBACK"),
    };
    match outcome {
        Ok(()) => finish(jobs.drain(..), End::Committed),
        Err(error) => finish(jobs.drain(..), End::Failed(&error)),
    }
    Vec::new()
}

/// Runs one job behind a savepoint.
fn apply(session: &mut Session, job: &mut dyn Job) -> Option<Touched> {
    if let Err(error) = control(&session.connection, "SAVEPOINT one_write") {
        tracing::error!(%error, "a write could not be begun");
        return None;
    }
    session.limit(true);
    // A panic loses one write, which its caller sees as stopped, and not the thread.
    let applied = catch_unwind(AssertUnwindSafe(|| job.apply(session)));
    session.limit(false);
    let applied = applied.unwrap_or_else(|_| {
        tracing::error!("a write panicked");
        None
    });
    if session.connection.is_autocommit() {
        return None;
    }
    let undo = if applied.is_some() {
        Ok(())
    } else {
        control(&session.connection, "ROLLBACK TO one_write")
    };
    if let Err(error) = undo.and_then(|()| control(&session.connection, "RELEASE one_write")) {
        tracing::error!(%error, "a write could not be ended: its whole group is undone");
        roll_back(&session.connection);
    }
    applied
}

/// Commits, and tells the versions what became visible.
fn make_visible(
    session: &mut Session,
    versions: &Versions,
    touched: &Touched,
) -> rusqlite::Result<()> {
    let commit = versions.begin_commit();
    let outcome = control(&session.connection, "COMMIT");
    if outcome.is_err() {
        roll_back(&session.connection);
    }
    commit.settle(touched, || session.saw_foreign_commit());
    outcome
}

fn finish(jobs: impl Iterator<Item = Box<dyn Job>>, end: End<'_>) {
    for job in jobs {
        job.finish(end);
    }
}

fn roll_back(connection: &Connection) {
    if !connection.is_autocommit()
        && let Err(error) = control(connection, "ROLLBACK")
    {
        tracing::error!(%error, "the writer could not leave its transaction");
    }
}

fn control(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}
