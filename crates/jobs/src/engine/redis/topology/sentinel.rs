//! A server that sentinels watch over: they say which one is the master now.

use std::sync::Mutex;
use std::time::Duration;

use redis::{Cmd, ErrorKind, RedisError, ServerErrorKind, Value};
use tokio::sync::Notify;

use super::super::fault::RedisFault;
use super::super::live::Live;
use super::super::reply::{list, text};
use super::super::store::lock;
use super::access::Access;
use super::endpoint::Endpoint;
use super::in_turn::InTurn;

/// How often the sentinels are asked whether the master is still the one that is worked with. A master that is
/// replaced while it lives takes changes for some seconds more, which are lost.
const LOOK_EVERY: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Sentinels {
    master: String,
    /// The master that was connected to last.
    connected: Mutex<Option<Endpoint>>,
    replaced: Notify,
    asked: InTurn,
    /// How sentinels are connected to, and how the master is.
    asking: Access,
    working: Access,
}

impl Sentinels {
    pub(super) fn new(
        master: String,
        sentinels: Vec<Endpoint>,
        asking: Access,
        working: Access,
    ) -> Self {
        Self {
            master,
            connected: Mutex::default(),
            replaced: Notify::new(),
            asked: InTurn::new(sentinels),
            asking,
            working,
        }
    }

    /// Connects to the master of this moment. A server that says of itself that it is none is refused:
    /// sentinels may hear of a failover late.
    pub(super) async fn connect(
        &self,
        connecting: Duration,
        patience: Duration,
    ) -> Result<Live, RedisFault> {
        let (endpoint, _) = self.find(connecting).await?;
        let mut live = Live::connect(&self.working.to(&endpoint)?, connecting, patience).await?;
        let before = lock(&self.connected).replace(endpoint.clone());
        if before.is_some_and(|before| before != endpoint) {
            // Other connections may stand still to the one before.
            self.replaced.notify_one();
        }
        match live.query(&redis::cmd("ROLE")).await.map(role) {
            Ok(Some(role)) if role != "master" => Err(RedisFault::NotMaster {
                server: endpoint.to_string(),
            }),
            Err(error) if !is_forbidden(&error) => Err(error.into()),
            _ => Ok(live),
        }
    }

    /// Waits until the sentinels name another master than the one that was connected to last.
    pub(super) async fn moved(&self, patience: Duration) {
        let mut sentinel: Option<Live> = None;
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = self.replaced.notified() => return,
            }
            let connected = lock(&self.connected).clone();
            let Some(connected) = connected else {
                continue;
            };
            let told = match sentinel.take() {
                Some(mut live) => {
                    let answer = tokio::time::timeout(patience, live.query(&self.question())).await;
                    answer
                        .ok()
                        .and_then(Result::ok)
                        .and_then(|answer| Some((address(answer, &connected.host)?, live)))
                }
                None => self.find(patience).await.ok(),
            };
            if let Some((endpoint, live)) = told {
                sentinel = Some(live);
                if endpoint != connected {
                    return;
                }
            }
        }
    }

    fn question(&self) -> Cmd {
        let mut ask = redis::cmd("SENTINEL");
        ask.arg("GET-MASTER-ADDR-BY-NAME").arg(&self.master);
        ask
    }

    /// Where the sentinels say the master is, and the connection to the one that said it.
    async fn find(&self, patience: Duration) -> Result<(Endpoint, Live), RedisFault> {
        let ask = self.question();
        let found = self
            .asked
            .ask(&self.asking, &ask, patience, |sentinel, answer| {
                address(answer, &sentinel.host)
            })
            .await;
        match found {
            Ok(found) => Ok(found),
            Err(Some(fault)) => Err(RedisFault::NoSentinel(Box::new(fault))),
            Err(None) => Err(RedisFault::UnknownMaster {
                master: self.master.clone(),
                known: self.known(patience).await,
            }),
        }
    }

    /// The masters the sentinels do know, for the message.
    async fn known(&self, patience: Duration) -> String {
        let mut ask = redis::cmd("SENTINEL");
        ask.arg("MASTERS");
        let found = self
            .asked
            .ask(&self.asking, &ask, patience, |_, answer| {
                Some(masters(answer).join(", "))
            })
            .await;
        match found {
            Ok((names, _)) if !names.is_empty() => names,
            _ => "none".to_owned(),
        }
    }
}

/// Host and port.
fn address(answer: Value, asked: &str) -> Option<Endpoint> {
    let mut parts = list(answer).into_iter().filter_map(text);
    let (host, port) = (parts.next()?, parts.next()?);
    Endpoint::parse(&format!("{host}:{port}"), asked)
}

/// The names in the answer of `SENTINEL MASTERS`.
fn masters(answer: Value) -> Vec<String> {
    let masters = list(answer).into_iter();
    masters
        .filter_map(|fields| {
            let mut fields = list(fields).into_iter().filter_map(text);
            fields.find(|field| field == "name")?;
            fields.next()
        })
        .collect()
}

/// `master`, `slave` or `sentinel`.
fn role(answer: Value) -> Option<String> {
    list(answer).into_iter().next().and_then(text)
}

/// Who may not ask for the role has to believe the sentinels.
fn is_forbidden(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    #[test]
    fn answers_of_sentinels_are_read() {
        let told = Value::Array(vec![bulk("::1"), bulk("6380")]);
        assert_eq!(address(told, "s").unwrap().to_string(), "[::1]:6380");
        assert_eq!(address(Value::Nil, "s"), None);
        let one = Value::Map(vec![(bulk("name"), bulk("main")), (bulk("ip"), bulk("h"))]);
        let other = Value::Array(vec![bulk("name"), bulk("cache")]);
        let both = Value::Array(vec![one, other]);
        assert_eq!(masters(both), ["main", "cache"]);
    }
}
