//! The connection: shared by all callers, replaced when it breaks. Every call ends within the deadline.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, PushInfo, PushKind, RedisError, RedisResult,
    ServerErrorKind, Value,
};
use tokio::sync::Mutex;

use super::fault::{Kind, RedisFault};
use super::script::Call;

/// A connection that knows whether it still stands.
#[derive(Debug, Clone)]
struct Live {
    connection: MultiplexedConnection,
    stands: Arc<AtomicBool>,
}

impl Live {
    async fn connect(client: &Client, patience: Duration) -> RedisResult<Self> {
        let stands = Arc::new(AtomicBool::new(true));
        let flag = Arc::clone(&stands);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(patience))
            .set_response_timeout(None)
            .set_push_sender(move |push: PushInfo| {
                if push.kind == PushKind::Disconnection {
                    flag.store(false, Ordering::SeqCst);
                }
                Ok::<(), redis::aio::SendError>(())
            });
        let connection = client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        Ok(Self { connection, stands })
    }

    async fn query(&mut self, command: &Cmd) -> RedisResult<Value> {
        command.query_async(&mut self.connection).await
    }

    /// Runs a script; makes the server know it first if it does not. Nothing else is tried twice: what was
    /// asked may have been counted.
    async fn call(&mut self, call: &Call) -> RedisResult<Value> {
        match self.query(&call.command).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                self.query(&call.script.load()).await?;
                self.query(&call.command).await
            }
            answer => answer,
        }
    }
}

/// The shared connection.
#[derive(Debug)]
pub(super) struct Link {
    client: Client,
    /// Within which an answer is there.
    deadline: Duration,
    /// Within which a connection is made, by whoever finds none, for all.
    connecting: Duration,
    live: Arc<Mutex<Option<Live>>>,
}

impl Link {
    pub(super) fn new(client: Client, deadline: Duration, connecting: Duration) -> Self {
        Self {
            client,
            deadline,
            connecting,
            live: Arc::default(),
        }
    }

    pub(super) async fn call(&self, call: &Call) -> Result<Value, RedisFault> {
        let mut used: Option<Live> = None;
        let answer = tokio::time::timeout(self.deadline, async {
            let mut live = self.live().await?;
            used = Some(live.clone());
            live.call(call).await
        })
        .await;
        let fault = match answer {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => RedisFault::from(error),
            Err(_) => RedisFault(Kind::NoAnswer(self.deadline)),
        };
        if fault.breaks_connection()
            && let Some(live) = used
        {
            live.stands.store(false, Ordering::SeqCst);
        }
        Err(fault)
    }

    /// The connection that stands, or a new one. Making one goes on when the caller's deadline is over:
    /// others wait for it.
    async fn live(&self) -> RedisResult<Live> {
        let mut slot = Arc::clone(&self.live).lock_owned().await;
        if let Some(live) = &*slot
            && live.stands.load(Ordering::SeqCst)
        {
            return Ok(live.clone());
        }
        let (client, patience) = (self.client.clone(), self.connecting);
        let connecting = tokio::spawn(async move {
            let live = Live::connect(&client, patience).await?;
            *slot = Some(live.clone());
            Ok(live)
        });
        connecting.await.map_err(|_| {
            RedisError::from((ErrorKind::Io, "connecting was stopped with the runtime"))
        })?
    }
}
