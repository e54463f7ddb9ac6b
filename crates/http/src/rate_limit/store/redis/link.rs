//! The connection to one server: shared by all callers, replaced when it breaks. Every call ends within the
//! deadline.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::{Client, Cmd, ErrorKind, RedisError, RedisResult, Value};
use tokio::time::{Instant, timeout_at};

use super::fault::{Kind, RedisFault};
use super::live::{Asks, Live};

/// The shared connection to one server.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) client: Client,
    /// Within which a connection is made, by whoever finds none, for all.
    connecting: Duration,
    live: Arc<Mutex<Option<Live>>>,
    /// Who holds it makes a connection.
    maker: Arc<tokio::sync::Mutex<()>>,
}

/// When an answer must be there, and how long that is from when it was wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    at: Instant,
    patience: Duration,
}

impl Deadline {
    pub(super) fn after(patience: Duration) -> Self {
        Self {
            at: Instant::now() + patience,
            patience,
        }
    }

    /// What comes of this in time.
    pub(super) async fn bound<T>(self, future: impl Future<Output = T>) -> Result<T, RedisFault> {
        let late = |_| RedisFault(Kind::NoAnswer(self.patience));
        timeout_at(self.at, future).await.map_err(late)
    }
}

impl Link {
    pub(super) fn new(client: Client, connecting: Duration) -> Self {
        Self {
            client,
            connecting,
            live: Arc::default(),
            maker: Arc::default(),
        }
    }

    /// Another server, reached as this one.
    pub(super) fn to(&self, client: Client) -> Self {
        Self::new(client, self.connecting)
    }

    /// Calls the script.
    pub(super) async fn call(
        &self,
        call: &Cmd,
        asks: Asks,
        deadline: Deadline,
    ) -> Result<Value, RedisFault> {
        let mut stands = None;
        let answer = deadline.bound(async {
            let mut live = self.live().await?;
            stands = Some(Arc::clone(&live.stands));
            live.call(call, asks).await
        });
        let fault = match answer.await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => RedisFault::from(error),
            Err(fault) => fault,
        };
        if fault.breaks_connection()
            && let Some(stands) = stands
        {
            stands.store(false, Ordering::SeqCst);
        }
        Err(fault)
    }

    /// Asks something that is no decision, as patiently as it connects.
    pub(super) async fn query(&self, command: &Cmd) -> RedisResult<Value> {
        let answer = tokio::time::timeout(self.connecting, async {
            self.live().await?.query(command).await
        });
        let late = |_| RedisError::from((ErrorKind::Io, "no answer in time"));
        answer.await.map_err(late)?
    }

    async fn live(&self) -> RedisResult<Live> {
        match self.standing() {
            Some(live) => Ok(live),
            None => self.make().await,
        }
    }

    /// The connection, if it stands.
    fn standing(&self) -> Option<Live> {
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.as_ref()
            .filter(|live| live.stands.load(Ordering::SeqCst))
            .cloned()
    }

    /// A new connection, or the one somebody else has just made. Making one goes on when the caller's deadline is
    /// over: others wait for it.
    async fn make(&self) -> RedisResult<Live> {
        let maker = Arc::clone(&self.maker).lock_owned().await;
        if let Some(live) = self.standing() {
            return Ok(live);
        }
        let (client, patience) = (self.client.clone(), self.connecting);
        let slot = Arc::clone(&self.live);
        let connecting = tokio::spawn(async move {
            let live = Live::connect(&client, patience).await?;
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(live.clone());
            drop(maker);
            Ok(live)
        });
        connecting.await.map_err(|_| {
            RedisError::from((ErrorKind::Io, "connecting was stopped with the runtime"))
        })?
    }
}
