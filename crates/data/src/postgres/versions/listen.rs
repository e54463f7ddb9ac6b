//! The connection that listens: it is made, asked once a second whether it still stands, and made again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::names::NAME;
use super::read;
use super::state::{NotUsed, VersionState};
use super::{PostgresVersions, Untold};
use crate::catalog::TableId;
use crate::pool::{AcquireError, Clock as _, Pool, SystemClock};
use crate::postgres::connect::hearing::Hearing;
use crate::postgres::connect::{ConnectError, Endpoint, PostgresManager};
use crate::server::Running;

/// How long the connection is left alone between two round trips.
const BEAT: Duration = Duration::from_secs(1);

/// A round trip that takes longer ends the connection.
const ANSWER: Duration = Duration::from_secs(2);

/// How long connecting, and what is asked first, may take.
const BEGIN: Duration = Duration::from_secs(5);

/// The waits between attempts to connect: the first, doubled up to the last.
const WAITS: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// Why nobody is heard.
#[derive(Debug, thiserror::Error)]
enum Deaf {
    #[error("{0}")]
    NotUsed(NotUsed),
    #[error("no connection")]
    Connect(#[from] ConnectError),
    #[error("no connection of the pool to compare with")]
    Pool(#[from] AcquireError),
    #[error("the server refused")]
    Driver(#[from] tokio_postgres::Error),
    #[error("there was no answer in time")]
    Late,
    #[error("the connection ended")]
    Ended,
}

/// Keeps a connection listening until it is dropped.
#[derive(Debug)]
pub(crate) struct Listener {
    task: JoinHandle<()>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What a listener works with.
struct Ear {
    versions: Arc<PostgresVersions>,
    /// Where it listens.
    manager: PostgresManager,
    /// What is read.
    pool: Pool<PostgresManager>,
}

/// A connection that listens.
struct Session {
    hearing: Hearing,
    fingerprint: String,
}

impl Listener {
    /// Begins to listen, and goes on by itself when that fails. Answers when the first attempt is over.
    pub(crate) async fn start(
        versions: Arc<PostgresVersions>,
        manager: PostgresManager,
        pool: Pool<PostgresManager>,
    ) -> Self {
        let ear = Ear {
            versions,
            manager,
            pool,
        };
        let first = ear.begin().await;
        match &first {
            Ok(_) => {}
            Err(Deaf::NotUsed(reason)) => ear.refuse(reason),
            Err(error) => tracing::warn!(
                reason = with_causes(error),
                "changes of tables are not heard yet: answers are tagged by their bytes until they are"
            ),
        }
        Self {
            task: tokio::spawn(ear.keep(first)),
        }
    }

    /// Closes the connection.
    pub(crate) fn stop(&self) {
        self.task.abort();
    }
}

impl Ear {
    /// Listens for good.
    async fn keep(self, first: Result<Session, Deaf>) {
        let mut outcome = first;
        let mut wait = WAITS.0;
        loop {
            match outcome {
                Ok(session) => {
                    wait = WAITS.0;
                    let ended = self.beat(session).await;
                    self.versions.end();
                    tracing::warn!(
                        reason = with_causes(&ended),
                        "changes of tables are not heard any more: answers are tagged by their bytes until they are"
                    );
                }
                Err(Deaf::NotUsed(reason)) => {
                    self.refuse(&reason);
                    // What the addresses lead to may change; in a hurry it does not.
                    wait = Duration::from_mins(1);
                }
                Err(error) => {
                    tracing::debug!(reason = with_causes(&error), "listening failed");
                }
            }
            sleep(wait).await;
            wait = (wait * 2).min(WAITS.1);
            outcome = self.begin().await;
        }
    }

    fn refuse(&self, reason: &NotUsed) {
        let mut heard = self.versions.lock();
        let state = VersionState::NotUsed(reason.clone());
        if heard.state != state {
            tracing::warn!("table versions are installed and not used: {reason}");
            heard.state = state;
        }
    }

    /// Connects and begins to listen.
    async fn begin(&self) -> Result<Session, Deaf> {
        let deadline = Instant::now() + BEGIN;
        timeout(BEGIN, self.begin_by(deadline))
            .await
            .unwrap_or(Err(Deaf::Late))
    }

    async fn begin_by(&self, deadline: Instant) -> Result<Session, Deaf> {
        self.check_address()?;
        let sent = SystemClock.now();
        let versions = Arc::clone(&self.versions);
        let hear = move |channel: &str, text: &str| versions.hear(channel, text);
        let hearing = Hearing::open(&self.manager, deadline, hear).await?;
        if !hearing.is_session() {
            return Err(Deaf::NotUsed(NotUsed::Pooler("a pooler".to_owned())));
        }
        let client = hearing.client();
        // From the end of this statement on, everything is told. What is read comes after it.
        client.batch_execute(&format!("LISTEN {NAME}")).await?;
        self.compare(read::identity(client).await?, deadline)
            .await?;
        let fingerprint = read::fingerprint(client).await?;
        let schema = read::schema(client).await?;
        let (layout, untold) = schema.layout(&self.versions.catalog);
        let session = {
            let mut heard = self.versions.lock();
            let session = heard.ledger.begin(layout, sent);
            self.tell(&mut heard, &untold);
            session
        };
        tracing::info!(session, "changes of tables are heard");
        Ok(Session {
            hearing,
            fingerprint,
        })
    }

    /// What can be told without connecting.
    fn check_address(&self) -> Result<(), Deaf> {
        let several = |manager: &PostgresManager| manager.address().hosts().len() > 1;
        if several(&self.manager) || several(self.pool.manager()) {
            return Err(Deaf::NotUsed(NotUsed::SeveralHosts));
        }
        match self.manager.endpoint() {
            None | Some(Endpoint::Direct) => Ok(()),
            Some(other) => Err(Deaf::NotUsed(NotUsed::Pooler(other.to_string()))),
        }
    }

    /// Whether what is read is what is listened to.
    async fn compare(
        &self,
        (listened, is_standby): (String, bool),
        deadline: Instant,
    ) -> Result<(), Deaf> {
        let mut running = Running::new(self.pool.acquire(deadline).await?);
        let (read, reads_standby) = read::identity(running.connection()).await?;
        running.finish();
        if is_standby || reads_standby {
            Err(Deaf::NotUsed(NotUsed::Standby))
        } else if listened == read {
            Ok(())
        } else {
            Err(Deaf::NotUsed(NotUsed::OtherServer))
        }
    }

    /// Asks the server again and again; ends with the connection.
    async fn beat(&self, mut session: Session) -> Deaf {
        loop {
            let is_new = tokio::select! {
                () = session.hearing.ended() => return Deaf::Ended,
                () = self.versions.layout_told.notified() => true,
                () = sleep(BEAT) => false,
            };
            if let Err(deaf) = self.beat_once(&mut session, is_new).await {
                return deaf;
            }
        }
    }

    async fn beat_once(&self, session: &mut Session, is_new: bool) -> Result<(), Deaf> {
        let sent = SystemClock.now();
        let client = session.hearing.client();
        let fingerprint = in_time(ANSWER, read::fingerprint(client)).await?;
        if is_new || fingerprint != session.fingerprint {
            self.versions.lock().ledger.forget_layout();
            let schema = in_time(BEGIN, read::schema(client)).await?;
            let (layout, untold) = schema.layout(&self.versions.catalog);
            let mut heard = self.versions.lock();
            heard.ledger.learn(layout);
            self.tell(&mut heard, &untold);
            session.fingerprint = fingerprint;
        }
        self.versions.lock().ledger.prove(sent);
        Ok(())
    }

    /// Notes which tables are not told, and says so once.
    fn tell(&self, heard: &mut super::Heard, untold: &[(TableId, Untold)]) {
        let except: Vec<String> = untold
            .iter()
            .map(|(table, reason)| {
                format!("{}: {reason}", self.versions.catalog.table(*table).name)
            })
            .collect();
        if heard.untold != except {
            for line in &except {
                tracing::info!("the versions of a table are not known: {line}");
            }
            heard.untold.clone_from(&except);
        }
        heard.state = VersionState::Told { except };
    }
}

async fn in_time<T>(
    limit: Duration,
    asking: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, Deaf> {
    Ok(timeout(limit, asking).await.map_err(|_| Deaf::Late)??)
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}
