//! Servers that are asked one after the other until one answers.

use std::sync::Mutex;
use std::time::Duration;

use redis::{Cmd, Value};

use super::super::fault::RedisFault;
use super::super::live::Live;
use super::super::store::lock;
use super::access::Access;
use super::endpoint::Endpoint;

/// Servers asked for one answer.
const MOST_ASKED: usize = 16;

/// Servers, the one to ask first in front.
#[derive(Debug)]
pub(super) struct InTurn(Mutex<Vec<Endpoint>>);

impl InTurn {
    pub(super) fn new(endpoints: Vec<Endpoint>) -> Self {
        Self(Mutex::new(endpoints))
    }

    /// Puts one in front.
    pub(super) fn prefer(&self, endpoint: &Endpoint) {
        let mut endpoints = lock(&self.0);
        endpoints.retain(|other| other != endpoint);
        endpoints.insert(0, endpoint.clone());
    }

    /// These are the servers now. Those that were named at the start stay, behind them.
    pub(super) fn replace(&self, now: &[Endpoint], seeds: &[Endpoint]) {
        let mut endpoints = lock(&self.0);
        endpoints.retain(|known| now.contains(known));
        for endpoint in now.iter().chain(seeds) {
            if !endpoints.contains(endpoint) {
                endpoints.push(endpoint.clone());
            }
        }
    }

    /// Asks until `read` can make something of an answer; each has `patience`. The one that answered is asked
    /// first the next time, and its connection is given for further questions. Else gives what went wrong last; nothing when somebody gave an answer of no use.
    pub(super) async fn ask<T>(
        &self,
        access: &Access,
        command: &Cmd,
        patience: Duration,
        read: impl Fn(&Endpoint, Value) -> Option<T>,
    ) -> Result<(T, Live), Option<RedisFault>> {
        let endpoints: Vec<Endpoint> = lock(&self.0).iter().take(MOST_ASKED).cloned().collect();
        let (mut fault, mut useless) = (None, false);
        for endpoint in &endpoints {
            let answer =
                tokio::time::timeout(patience, ask_one(access, endpoint, command, patience)).await;
            match answer.unwrap_or(Err(RedisFault::NoAnswer(patience))) {
                Ok((answer, live)) => {
                    if let Some(found) = read(endpoint, answer) {
                        self.prefer(endpoint);
                        return Ok((found, live));
                    }
                    useless = true;
                }
                Err(error) => {
                    fault = Some(RedisFault::At {
                        server: endpoint.to_string(),
                        source: Box::new(error),
                    });
                }
            }
        }
        Err(fault.filter(|_| !useless))
    }
}

async fn ask_one(
    access: &Access,
    endpoint: &Endpoint,
    command: &Cmd,
    patience: Duration,
) -> Result<(Value, Live), RedisFault> {
    let mut live = Live::connect(&access.to(endpoint)?, patience, patience).await?;
    let answer = live.query(command).await?;
    Ok((answer, live))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_answered_is_in_front_and_those_of_the_start_are_never_forgotten() {
        let named = |ports: &[u16]| -> Vec<Endpoint> {
            ports.iter().map(|port| Endpoint::new("h", *port)).collect()
        };
        let seeds = named(&[1, 2]);
        let servers = InTurn::new(seeds.clone());
        servers.prefer(&Endpoint::new("h", 2));
        servers.prefer(&Endpoint::new("h", 3));
        assert_eq!(*lock(&servers.0), named(&[3, 2, 1]));
        servers.replace(&named(&[2, 4]), &seeds);
        assert_eq!(*lock(&servers.0), named(&[2, 4, 1]));
    }
}
