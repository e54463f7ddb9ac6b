//! A connection that hears what the server says by itself.

use std::future::poll_fn;
use std::time::Instant;

use tokio::task::JoinHandle;
use tokio::time::timeout_at;
use tokio_postgres::{AsyncMessage, Client};
use tokio_util::either::Either;

use super::error::ConnectError;
use super::manager::{Opened, PROCESS, PostgresManager};

/// A connection beside any pool. Dropped, it is closed.
pub(in crate::postgres) struct Hearing {
    client: Client,
    driver: JoinHandle<()>,
    is_session: bool,
}

impl Hearing {
    /// Connects. `heard` is called with channel and text of each notification, in the order in which the server sends
    /// them and before any later answer is given; it is dropped when the connection ends.
    ///
    /// # Errors
    /// When no host of the address can be connected to by `deadline`.
    pub(in crate::postgres) async fn open(
        manager: &PostgresManager,
        deadline: Instant,
        mut heard: impl FnMut(&str, &str) + Send + 'static,
    ) -> Result<Self, ConnectError> {
        let late = || {
            let host = &manager.address().hosts()[0];
            ConnectError::unreachable(host, std::io::ErrorKind::TimedOut.into())
        };
        let Opened {
            host,
            client,
            mut connection,
            process,
            ..
        } = timeout_at(deadline.into(), manager.open(deadline))
            .await
            .map_err(|_| late())??;
        let driver = tokio::spawn(async move {
            loop {
                let message = poll_fn(|context| match &mut connection {
                    Either::Left(connection) => connection.poll_message(context),
                    Either::Right(connection) => connection.poll_message(context),
                });
                match message.await {
                    Some(Ok(AsyncMessage::Notification(told))) => {
                        heard(told.channel(), told.payload());
                    }
                    Some(Ok(_)) => {}
                    Some(Err(error)) => {
                        tracing::debug!(%error, "a connection that listens ended");
                        break;
                    }
                    None => break,
                }
            }
        });
        let mut hearing = Self {
            client,
            driver,
            is_session: false,
        };
        let asking = hearing.client.query_typed_one(PROCESS, &[]);
        let own = timeout_at(deadline.into(), asking)
            .await
            .map_err(|_| late())?
            .and_then(|row| row.try_get::<_, i32>(0))
            .map_err(|error| ConnectError::driver(&host, error))?;
        hearing.is_session = process == Some(own);
        Ok(hearing)
    }

    /// Whether the session is ours for as long as the connection stands. Behind a pooler it is not.
    pub(in crate::postgres) fn is_session(&self) -> bool {
        self.is_session
    }

    /// Waits until the connection is gone.
    pub(in crate::postgres) async fn ended(&mut self) {
        // How it ended does not matter any more.
        let _ = (&mut self.driver).await;
    }

    /// What statements are sent with.
    pub(in crate::postgres) fn client(&self) -> &Client {
        &self.client
    }
}

impl Drop for Hearing {
    fn drop(&mut self) {
        self.driver.abort();
    }
}
