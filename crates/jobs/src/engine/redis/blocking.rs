//! A connection that waits at the server. Another connection can end its wait early.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use redis::{Cmd, Value};
use tokio::sync::{Notify, watch};

use super::fault::RedisFault;
use super::link::Link;
use super::live::Live;
use super::reply::int;
use super::topology::{Place, Slot};
use crate::names::QueueName;

/// The longest wait at the server: a connection that broke unnoticed is replaced soon after.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Connected to where a slot is, with the number the server knows it by.
#[derive(Debug)]
pub(super) struct Blocking {
    slot: Slot,
    place: Place,
    live: Live,
    number: i64,
    left: watch::Receiver<u64>,
}

impl Blocking {
    pub(super) async fn connect(link: &Link, slot: Slot) -> Result<Self, RedisFault> {
        let left = link.leaving();
        let connecting = async {
            let place = link.topology.place(slot).await?;
            let patience = LONGEST_WAIT + link.deadline;
            let mut live = link.topology.connect(&place, patience).await?;
            let mut who = redis::cmd("CLIENT");
            who.arg("ID");
            let number = int(&live.query(&who).await?).unwrap_or(0);
            Ok(Self {
                slot,
                place,
                live,
                number,
                left,
            })
        };
        let connected = tokio::time::timeout(link.deadline, connecting).await;
        connected.unwrap_or(Err(RedisFault::NoAnswer(link.deadline)))
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
    ) -> Result<Value, RedisFault> {
        let other = self.live.clone();
        let gone = || RedisFault::NoAnswer(Duration::ZERO);
        let mut answer = std::pin::pin!(self.live.query(command));
        let answer = loop {
            tokio::select! {
                biased;
                answer = &mut answer => break answer,
                _ = self.left.changed() => return Err(gone()),
                () = changed.notified() => {
                    if goes_on() {
                        continue;
                    }
                    let mut unblock = redis::cmd("CLIENT");
                    unblock.arg("UNBLOCK").arg(self.number);
                    if link.query_beside(&self.place, &other, &unblock).await.is_none() {
                        // Nobody can end the wait there: the server is another one by now, or is gone.
                        return Err(gone());
                    }
                    break answer.await;
                }
            }
        };
        answer.map_err(|error| {
            let fault = RedisFault::from(error);
            link.topology.notice(self.slot, &self.place, &fault);
            fault
        })
    }
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
