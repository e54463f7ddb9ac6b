//! The connection for commands: shared by all callers, replaced when it breaks. Every call ends within the
//! deadline, connecting included.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, Pipeline, PushInfo, PushKind, RedisError,
    RedisResult, ServerErrorKind, Value,
};
use tokio::sync::Mutex;

use super::fault::RedisFault;
use super::reply::list;
use super::script::Call;
use crate::error::EngineError;

/// How often a server that reads its data from disk is asked again.
const LOADING_PAUSE: Duration = Duration::from_millis(50);

/// A connection that knows whether it still stands.
#[derive(Debug, Clone)]
pub(super) struct Live {
    pub(super) connection: MultiplexedConnection,
    stands: Arc<AtomicBool>,
}

impl Live {
    /// Connects. `patience` bounds the wait for each answer.
    pub(super) async fn connect(
        client: &Client,
        connecting: Duration,
        patience: Duration,
    ) -> RedisResult<Self> {
        let stands = Arc::new(AtomicBool::new(true));
        let flag = Arc::clone(&stands);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(connecting))
            .set_response_timeout(Some(patience))
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

    pub(super) fn stands(&self) -> bool {
        self.stands.load(Ordering::SeqCst)
    }

    pub(super) fn give_up(&self) {
        self.stands.store(false, Ordering::SeqCst);
    }

    pub(super) async fn query(&mut self, command: &Cmd) -> RedisResult<Value> {
        command.query_async(&mut self.connection).await
    }
}

/// The shared connection.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) client: Client,
    pub(super) deadline: Duration,
    live: Mutex<Option<Live>>,
}

impl Link {
    pub(super) fn new(client: Client, deadline: Duration) -> Self {
        Self {
            client,
            deadline,
            live: Mutex::new(None),
        }
    }

    /// Runs a script; makes the server know it first if it does not.
    pub(super) async fn call(&self, call: &Call) -> Result<Value, EngineError> {
        self.within_deadline(Ask::Script(call)).await
    }

    /// Runs one command.
    pub(super) async fn query(&self, command: &Cmd) -> Result<Value, EngineError> {
        self.within_deadline(Ask::Command(command)).await
    }

    /// Runs several commands in one round trip; each has its answer.
    pub(super) async fn pipeline(&self, pipeline: &Pipeline) -> Result<Vec<Value>, EngineError> {
        self.within_deadline(Ask::Several(pipeline)).await.map(list)
    }

    async fn within_deadline(&self, ask: Ask<'_>) -> Result<Value, EngineError> {
        let mut used: Option<Live> = None;
        let answer = tokio::time::timeout(self.deadline, async {
            loop {
                let mut live = self.live().await?;
                used = Some(live.clone());
                match ask.of(&mut live).await {
                    // Nothing was done; it will be ready soon.
                    Err(error) if is_loading(&error) => tokio::time::sleep(LOADING_PAUSE).await,
                    answer => return answer,
                }
            }
        })
        .await;
        let fault = match answer {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) if error.is_timeout() => RedisFault::NoAnswer(self.deadline),
            Ok(Err(error)) => RedisFault::from(error),
            Err(_) => RedisFault::NoAnswer(self.deadline),
        };
        if fault.breaks_connection()
            && let Some(live) = used
        {
            live.give_up();
        }
        Err(fault.into())
    }

    async fn live(&self) -> RedisResult<Live> {
        let mut slot = self.live.lock().await;
        if let Some(live) = &*slot
            && live.stands()
        {
            return Ok(live.clone());
        }
        let live = Live::connect(&self.client, self.deadline, self.deadline).await?;
        *slot = Some(live.clone());
        Ok(live)
    }
}

/// What is asked of the server.
enum Ask<'a> {
    Script(&'a Call),
    Command(&'a Cmd),
    Several(&'a Pipeline),
}

impl Ask<'_> {
    async fn of(&self, live: &mut Live) -> RedisResult<Value> {
        match self {
            Self::Command(command) => live.query(command).await,
            Self::Several(pipeline) => pipeline.query_async(&mut live.connection).await,
            Self::Script(call) => match live.query(&call.command).await {
                Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                    live.query(&call.script.load()).await?;
                    live.query(&call.command).await
                }
                answer => answer,
            },
        }
    }
}

fn is_loading(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::BusyLoading)
}
