//! A connection that waits at the server. Another connection can end its wait early.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use redis::{Client, Cmd, RedisResult, Value};
use tokio::sync::Notify;

use super::link::Link;
use super::reply::int;
use crate::names::QueueName;

/// The longest wait at the server: a connection that broke unnoticed is replaced soon after.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How soon the end of a wait is asked for again that had not begun.
const ASK_AGAIN: Duration = Duration::from_millis(5);

/// Connected, with the number the server knows it by.
#[derive(Debug)]
pub(super) struct Blocking {
    live: super::link::Live,
    number: i64,
}

impl Blocking {
    pub(super) async fn connect(client: &Client, deadline: Duration) -> RedisResult<Self> {
        let patience = LONGEST_WAIT + deadline;
        let mut live = super::link::Live::connect(client, deadline, patience).await?;
        let mut who = redis::cmd("CLIENT");
        who.arg("ID");
        let number = int(&live.query(&who).await?).unwrap_or(0);
        Ok(Self { live, number })
    }

    /// Tells operators and BullMQ's tools whose connection it is. Not every server allows it.
    pub(super) async fn set_name(&mut self, name: &str) {
        let mut set = redis::cmd("CLIENT");
        set.arg("SETNAME").arg(name);
        let _ = self.live.query(&set).await;
    }

    /// Waits with `command`. Each time `changed` is told, `goes_on` says whether the wait still fits.
    pub(super) async fn wait(
        &mut self,
        link: &Link,
        command: &Cmd,
        changed: &Notify,
        goes_on: impl Fn() -> bool,
    ) -> RedisResult<Value> {
        let number = self.number;
        let mut answer = std::pin::pin!(self.live.query(command));
        loop {
            tokio::select! {
                biased;
                answer = &mut answer => return answer,
                () = changed.notified() => {
                    if !goes_on() {
                        return ended(link, number, answer).await;
                    }
                }
            }
        }
    }
}

/// Ends the wait of the connection with this number. It may have just been sent and not have begun: then the
/// server ends nothing, and is asked again.
async fn ended(
    link: &Link,
    number: i64,
    mut answer: Pin<&mut impl Future<Output = RedisResult<Value>>>,
) -> RedisResult<Value> {
    let mut unblock = redis::cmd("CLIENT");
    unblock.arg("UNBLOCK").arg(number);
    while let Ok(Value::Int(0)) = link.query(&unblock).await {
        if let Ok(answer) = tokio::time::timeout(ASK_AGAIN, answer.as_mut()).await {
            return answer;
        }
    }
    answer.await
}

/// The name by which BullMQ's tools list a queue's workers.
pub(super) fn client_name(prefix: &str, queue: &QueueName) -> String {
    format!("{prefix}:{}", STANDARD.encode(queue.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_listed_under_their_queue() {
        let queue = QueueName::new("emails").unwrap();
        assert_eq!(client_name("bull", &queue), "bull:ZW1haWxz");
    }
}
