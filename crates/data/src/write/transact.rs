//! A transaction's work on the writer thread.

use tokio::sync::oneshot;

use super::constraint::{Constraint, Names};
use super::error::WriteError;
use super::group::{End, Job};
use super::plan::WritePlan;
use super::session::{Session, Written};
use super::transaction::{Told, Transaction, Work};
use crate::encode::RowEncoder;
use crate::run::RunError;
use crate::sql::SqlDialect;
use crate::sqlite::not_committed;
use crate::statement::{Statement, Value};
use crate::version::Touched;

type Outcome<T> = Result<T, WriteError>;

/// Work that waits for its turn.
pub(super) struct Transact<T> {
    work: Option<Work<T>>,
    outcome: Option<Outcome<T>>,
    reply: oneshot::Sender<Outcome<T>>,
}

impl<T> Transact<T> {
    pub(super) fn new(work: Work<T>) -> (Self, oneshot::Receiver<Outcome<T>>) {
        let (reply, answer) = oneshot::channel();
        let job = Self {
            work: Some(work),
            outcome: None,
            reply,
        };
        (job, answer)
    }
}

impl<T: Send> Job for Transact<T> {
    fn is_wanted(&self) -> bool {
        !self.reply.is_closed()
    }

    fn apply(&mut self, session: &mut Session) -> Option<Touched> {
        let mut transaction = OnSession {
            session,
            touched: Touched::Tables(Vec::new()),
        };
        // Taken once: a job is applied once.
        let outcome = self.work.take()?(&mut transaction);
        let touched = outcome.is_ok().then_some(transaction.touched);
        self.outcome = Some(outcome);
        touched
    }

    fn finish(self: Box<Self>, end: End<'_>) {
        let answer = match (self.outcome, end) {
            (Some(Ok(_)) | None, End::Failed(error)) => {
                Err(match Constraint::from_driver(error, &Names::default()) {
                    Some(constraint) => WriteError::Constraint(constraint),
                    None => not_committed(error).into(),
                })
            }
            (Some(Ok(_)), End::RolledBack) => Err(RunError::rolled_back().into()),
            (Some(outcome), _) => outcome,
            // It panicked.
            (None, _) => Err(RunError::stopped().into()),
        };
        // The caller may have gone meanwhile; what is done stays.
        let _ = self.reply.send(answer);
    }
}

struct OnSession<'session> {
    session: &'session mut Session,
    touched: Touched,
}

impl Transaction for OnSession<'_> {
    fn dialect(&self) -> SqlDialect {
        SqlDialect::Sqlite
    }

    fn write(&mut self, plan: &WritePlan) -> Result<Written, WriteError> {
        self.session.limit(true);
        let written = self.session.write(plan)?;
        self.touched.merge(&written.touched);
        Ok(written)
    }

    fn rows(&mut self, statement: &Statement, told: &Told) -> Result<Vec<Vec<Value>>, WriteError> {
        self.session.limit(true);
        let nothing = Names::default();
        let names = told.names.as_ref().unwrap_or(&nothing);
        self.session.rows(statement, names, &mut self.touched)
    }

    fn encode(
        &mut self,
        statement: &Statement,
        encoder: &mut dyn RowEncoder,
    ) -> Result<(Vec<u8>, u64), WriteError> {
        self.session.limit(true);
        let mut bytes = Vec::new();
        let rows = self
            .session
            .snapshot()
            .run(statement, encoder, &mut bytes)?;
        Ok((bytes, rows))
    }
}
