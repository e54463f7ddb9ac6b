//! A connection, and a script called on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, PushInfo, PushKind, RedisError, RedisResult,
    ServerErrorKind, Value,
};

use super::script;

/// A connection that knows whether it still stands.
#[derive(Debug, Clone)]
pub(super) struct Live {
    connection: MultiplexedConnection,
    pub(super) stands: Arc<AtomicBool>,
}

impl Live {
    pub(super) async fn connect(client: &Client, patience: Duration) -> RedisResult<Self> {
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

    pub(super) async fn query(&mut self, command: &Cmd) -> RedisResult<Value> {
        command.query_async(&mut self.connection).await
    }

    /// Calls the script; makes the server know it first if it does not. Nothing else is tried twice: what was
    /// asked may have been counted.
    pub(super) async fn call(&mut self, call: &Cmd, asks: Asks) -> RedisResult<Value> {
        match self.try_call(call, asks).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                self.query(&script::load()).await?;
                self.try_call(call, asks).await
            }
            answer => answer,
        }
    }

    async fn try_call(&mut self, call: &Cmd, asks: Asks) -> RedisResult<Value> {
        if asks == Asks::Owner {
            return self.query(call).await;
        }
        let mut both = redis::pipe();
        both.cmd("ASKING").add_command(call.clone());
        let answers = self.connection.req_packed_commands(&both, 1, 1).await?;
        let answer = answers.into_iter().next();
        let missing =
            || RedisError::from((ErrorKind::UnexpectedReturnType, "an answer is missing"));
        answer.ok_or_else(missing)?.extract_error()
    }
}

/// Whom of a cluster a call asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    /// The node that has the slot.
    Owner,
    /// The node that is being given the slot.
    Heir,
}
