//! Whom a question is asked: the server that was named, or the node of its cluster that has the key.
//!
//! That a server is a node of a cluster shows when it refuses what another node has to answer. From then on each
//! question is a call of its own, to the node that has its slot. A call a node refuses so has counted nothing and is
//! sent on to where the node says; the map of all slots is then asked for, by one task for all.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use redis::{Client, Cmd, ConnectionAddr, RedisResult, Value};
use tokio::time::Instant;

use super::super::super::Clock;
use super::RedisOptions;
use super::answer::{Answer, Answers};
use super::fault::{Redirect, RedisFault};
use super::link::{Deadline, Link};
use super::live::Asks;
use super::question::{self, Question};
use super::slots::{Endpoint, Slots, slot_of};

/// How often a call is sent on: to the node the slot has moved to, and to the one it is moving to.
const REDIRECTIONS: usize = 3;
/// Between two questions for the map of slots.
const PAUSE: Duration = Duration::from_millis(100);

/// The server, or the cluster it turned out to belong to.
#[derive(Debug)]
pub(super) struct Servers {
    home: Arc<Link>,
    told_time: Option<Arc<dyn Clock>>,
    cluster: OnceLock<Arc<Cluster>>,
}

impl Servers {
    pub(super) fn new(client: Client, options: &RedisOptions) -> Self {
        Self {
            home: Arc::new(Link::new(client, options.connecting)),
            told_time: options.clock.clone(),
            cluster: OnceLock::new(),
        }
    }

    /// Whether each question must be a call of its own.
    pub(super) fn is_cluster(&self) -> bool {
        self.cluster.get().is_some()
    }

    /// The answer to each of these, asked in one call.
    pub(super) async fn ask(
        &self,
        questions: &[&Question],
        deadline: Deadline,
    ) -> Vec<Result<Answer, RedisFault>> {
        let fault = match self.ask_home(questions, deadline).await {
            Ok(answers) => return answers.into_iter().map(Ok).collect(),
            Err(fault) => fault,
        };
        if !fault.is_of_cluster() {
            return questions.iter().map(|_| Err(fault.clone())).collect();
        }
        // Nothing was counted.
        self.cluster
            .get_or_init(|| Arc::new(Cluster::new(Arc::clone(&self.home))));
        let mut answers = Vec::with_capacity(questions.len());
        for question in questions {
            answers.push(self.ask_owner(question, deadline).await);
        }
        answers
    }

    /// The answer of the node that has the keys.
    pub(super) async fn ask_owner(
        &self,
        question: &Question,
        deadline: Deadline,
    ) -> Result<Answer, RedisFault> {
        let Some(cluster) = self.cluster.get() else {
            let mut answers = self.ask_home(&[question], deadline).await?;
            return answers.pop().ok_or_else(RedisFault::strange);
        };
        let (mut link, mut asks) = (cluster.owner(slot_of(question.key())), Asks::Owner);
        let call = self.call(&[question]);
        for _ in 0..REDIRECTIONS {
            let fault = match link.call(&call, asks, deadline).await {
                Ok(value) => {
                    let answers = read(&value, &[question]).and_then(|mut answers| answers.pop());
                    return answers.ok_or_else(RedisFault::strange);
                }
                Err(fault) => fault,
            };
            let Some(redirect) = fault.redirect() else {
                if fault.breaks_connection() {
                    cluster.look_soon(&link);
                }
                return Err(fault);
            };
            let (endpoint, next) = match redirect {
                Redirect::Moved(endpoint) => (endpoint, Asks::Owner),
                Redirect::Ask(endpoint) => (endpoint, Asks::Heir),
            };
            link = cluster.link(&endpoint.or_host_of(&link.client))?;
            asks = next;
            if asks == Asks::Owner {
                cluster.look_soon(&link);
            }
        }
        Err(RedisFault::lost())
    }

    async fn ask_home(
        &self,
        questions: &[&Question],
        deadline: Deadline,
    ) -> Result<Vec<Answer>, RedisFault> {
        let call = self.call(questions);
        let value = self.home.call(&call, Asks::Owner, deadline).await?;
        read(&value, questions).ok_or_else(RedisFault::strange)
    }

    fn call(&self, questions: &[&Question]) -> Cmd {
        let time = self.told_time.as_ref().map(|clock| clock.now().as_millis());
        question::call(questions.iter().copied(), time)
    }
}

/// What a script says to these questions; none when it is something else.
fn read(value: &Value, questions: &[&Question]) -> Option<Vec<Answer>> {
    let Value::BulkString(bytes) = value else {
        return None;
    };
    let mut answers = Answers::new(bytes)?;
    let read: Option<Vec<Answer>> = questions
        .iter()
        .map(|question| answers.next(question.algorithms()))
        .collect();
    read.filter(|_| answers.is_over())
}

/// The nodes known so far.
#[derive(Debug)]
struct Cluster {
    home: Arc<Link>,
    known: Mutex<Known>,
    looks: AtomicBool,
}

#[derive(Debug, Default)]
struct Known {
    slots: Slots,
    links: Vec<(Endpoint, Arc<Link>)>,
    looked: Option<Instant>,
}

impl Cluster {
    fn new(home: Arc<Link>) -> Self {
        Self {
            home,
            known: Mutex::default(),
            looks: AtomicBool::new(false),
        }
    }

    /// The node that has this slot, as far as is known; else the one that was named.
    fn owner(&self, slot: u16) -> Arc<Link> {
        let endpoint = self.known().slots.owner(slot).cloned();
        let link = endpoint.and_then(|endpoint| self.link(&endpoint).ok());
        link.unwrap_or_else(|| Arc::clone(&self.home))
    }

    /// The connection to this node.
    fn link(&self, endpoint: &Endpoint) -> RedisResult<Arc<Link>> {
        let mut known = self.known();
        if let Some((_, link)) = known.links.iter().find(|(known, _)| known == endpoint) {
            return Ok(Arc::clone(link));
        }
        let link = Arc::new(self.home.to(client_to(endpoint, &self.home.client)?));
        known.links.push((endpoint.clone(), Arc::clone(&link)));
        Ok(link)
    }

    /// Asks for the map of slots, this node first, unless somebody does or has just done so.
    fn look_soon(self: &Arc<Self>, first: &Arc<Link>) {
        let recently = |looked: Instant| looked.elapsed() < PAUSE;
        if self.known().looked.is_some_and(recently) || self.looks.swap(true, Ordering::SeqCst) {
            return;
        }
        let (cluster, first) = (Arc::clone(self), Arc::clone(first));
        tokio::spawn(async move {
            let looking = Looking(Arc::clone(&cluster));
            let known: Vec<Arc<Link>> = {
                let known = cluster.known();
                known
                    .links
                    .iter()
                    .map(|(_, link)| Arc::clone(link))
                    .collect()
            };
            let all = [first, Arc::clone(&cluster.home)].into_iter().chain(known);
            for link in all {
                let answer = link.query(redis::cmd("CLUSTER").arg("SLOTS")).await;
                let host = Endpoint::host_of(&link.client);
                if let Some(slots) = answer.ok().and_then(|value| Slots::read(&value, &host)) {
                    let mut known = cluster.known();
                    known.links.retain(|(endpoint, _)| slots.has(endpoint));
                    known.slots = slots;
                    break;
                }
            }
            drop(looking);
        });
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// While somebody asks for the map.
struct Looking(Arc<Cluster>);

impl Drop for Looking {
    fn drop(&mut self) {
        self.0.known().looked = Some(Instant::now());
        self.0.looks.store(false, Ordering::SeqCst);
    }
}

/// Another node, reached as the one that was named.
fn client_to(endpoint: &Endpoint, named: &Client) -> RedisResult<Client> {
    let info = named.get_connection_info();
    let (host, port) = (endpoint.host.clone(), endpoint.port);
    let address = match info.addr() {
        ConnectionAddr::TcpTls {
            insecure,
            tls_params,
            ..
        } => ConnectionAddr::TcpTls {
            host,
            port,
            insecure: *insecure,
            tls_params: tls_params.clone(),
        },
        _ => ConnectionAddr::Tcp(host, port),
    };
    Client::open(info.clone().set_addr(address))
}
