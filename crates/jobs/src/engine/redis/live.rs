use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, Pipeline, PushInfo, PushKind, RedisResult,
    Value,
};

/// A connection that knows whether it still stands, and to whom.
#[derive(Debug, Clone)]
pub(super) struct Live {
    connection: MultiplexedConnection,
    stands: Arc<AtomicBool>,
    to: ConnectionAddr,
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
        let to = client.get_connection_info().addr().clone();
        Ok(Self {
            connection,
            stands,
            to,
        })
    }

    pub(super) fn stands(&self) -> bool {
        self.stands.load(Ordering::SeqCst)
    }

    pub(super) fn give_up(&self) {
        self.stands.store(false, Ordering::SeqCst);
    }

    /// Whether both lead to one server.
    pub(super) fn leads_where(&self, other: &Self) -> bool {
        self.to == other.to
    }

    pub(super) async fn query(&mut self, command: &Cmd) -> RedisResult<Value> {
        command.query_async(&mut self.connection).await
    }

    pub(super) async fn pipeline(&mut self, pipeline: &Pipeline) -> RedisResult<Value> {
        pipeline.query_async(&mut self.connection).await
    }
}
