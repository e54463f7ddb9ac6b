//! A transaction: a session between `BEGIN` and its end.

use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::error::PlanetScaleError;
use super::rows::Rows;
use super::session::{PlanetScaleSession, Repeat};

/// How long the vendor lets a transaction be open.
pub const TRANSACTION_LIMIT: Duration = Duration::from_secs(20);

/// How long undoing may take when nobody says.
const UNDO: Duration = Duration::from_secs(5);

/// An open transaction. Dropped, it is undone in the background, if there is a runtime; the vendor undoes it at its
/// limit otherwise.
#[derive(Debug)]
pub struct Transaction {
    session: Option<PlanetScaleSession>,
    began: Instant,
}

impl Transaction {
    pub(super) async fn begin(
        mut session: PlanetScaleSession,
        deadline: Instant,
    ) -> Result<Self, PlanetScaleError> {
        session.set_clean(false);
        let began = Instant::now();
        session.execute("BEGIN", Repeat::Never, deadline).await?;
        Ok(Self {
            session: Some(session),
            began,
        })
    }

    /// Runs one statement in it. After an error it is still open, and to be undone.
    ///
    /// # Errors
    /// [`PlanetScaleError`] when there is no result by `deadline`, or by the end of the time the vendor gives.
    pub async fn execute(
        &mut self,
        sql: &str,
        deadline: Instant,
    ) -> Result<Rows, PlanetScaleError> {
        let end = self.began + TRANSACTION_LIMIT;
        let session = self.session();
        if Instant::now() >= end {
            return Err(PlanetScaleError::transaction_limit(&session.inner().server));
        }
        session.execute(sql, Repeat::Never, deadline.min(end)).await
    }

    fn session(&mut self) -> &mut PlanetScaleSession {
        self.session.as_mut().expect("it is open until it is ended")
    }

    /// Makes it last.
    ///
    /// # Errors
    /// [`PlanetScaleError`]; where it [may have happened](PlanetScaleError::may_have_happened), whether the
    /// transaction took place is not known. It is never sent again.
    pub async fn commit(self, deadline: Instant) -> Result<(), PlanetScaleError> {
        self.end("COMMIT", deadline).await
    }

    /// Undoes it.
    ///
    /// # Errors
    /// [`PlanetScaleError`]; the vendor undoes it at its limit then.
    pub async fn rollback(self, deadline: Instant) -> Result<(), PlanetScaleError> {
        self.end("ROLLBACK", deadline).await
    }

    /// Undoes it because of an error, and gives that error back: one that is met while undoing is logged.
    pub async fn undo_after<E>(self, error: E) -> E {
        if let Err(another) = self.rollback(Instant::now() + UNDO).await {
            let another: &dyn std::error::Error = &another;
            tracing::warn!(
                error = another,
                "a transaction could not be undone: the server does it within 20 s"
            );
        }
        error
    }

    async fn end(mut self, how: &str, deadline: Instant) -> Result<(), PlanetScaleError> {
        let mut session = self.session.take().expect("it is ended once");
        session.execute(how, Repeat::Never, deadline).await?;
        session.set_clean(true);
        Ok(())
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let Some(session) = self.session.take()
            && let Ok(runtime) = Handle::try_current()
        {
            let open = Self {
                session: Some(session),
                began: self.began,
            };
            // Ended within, so that this is not reached again by it.
            runtime.spawn(async move { open.undo_after(()).await });
        }
    }
}
