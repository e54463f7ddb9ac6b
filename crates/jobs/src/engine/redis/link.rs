//! The connections for commands: one to each place, shared by all callers, replaced when it breaks. Every call
//! ends within the deadline, connecting and looking for the right server included.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redis::{Cmd, ErrorKind, Pipeline, RedisError, RedisResult, ServerErrorKind, Value};
use tokio::sync::watch;

use super::fault::RedisFault;
use super::live::Live;
use super::reply::list;
use super::script::Call;
use super::store::lock;
use super::topology::{Place, Slot, Topology};
use crate::error::EngineError;

/// How often a server that cannot work yet is asked again.
const PAUSE: Duration = Duration::from_millis(50);

type Line = tokio::sync::Mutex<Option<Live>>;

/// The shared connections.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) topology: Topology,
    pub(super) deadline: Duration,
    lines: Mutex<HashMap<Place, Arc<Line>>>,
    /// Where each slot was used last.
    used: Mutex<HashMap<Slot, Place>>,
    /// Counts how often the one server was left for another.
    left: watch::Sender<u64>,
}

impl Link {
    pub(super) fn new(topology: Topology, deadline: Duration) -> Self {
        Self {
            topology,
            deadline,
            lines: Mutex::default(),
            used: Mutex::default(),
            left: watch::channel(0).0,
        }
    }

    /// Leaves the one server each time another takes its place, whether it lives or not.
    pub(super) async fn follow(&self) {
        loop {
            self.topology.moved().await;
            if let Some(live) = &*self.line(&Place::Primary).lock().await {
                live.give_up();
            }
            self.left
                .send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    /// Tells of each time that the one server is left.
    pub(super) fn leaving(&self) -> watch::Receiver<u64> {
        self.left.subscribe()
    }

    /// Runs a script; makes the server know it first if it does not.
    pub(super) async fn call(&self, slot: Slot, call: &Call) -> Result<Value, EngineError> {
        self.within_deadline(slot, Ask::Script(call)).await
    }

    /// Runs one command on keys of `slot`.
    pub(super) async fn query(&self, slot: Slot, command: &Cmd) -> Result<Value, EngineError> {
        self.within_deadline(slot, Ask::Command(command)).await
    }

    /// Runs several commands that change nothing, on keys of `slot`, in one round trip; each has its answer.
    pub(super) async fn pipeline(
        &self,
        slot: Slot,
        pipeline: &Pipeline,
    ) -> Result<Vec<Value>, EngineError> {
        let answers = self.within_deadline(slot, Ask::Several(pipeline)).await;
        answers.map(list)
    }

    /// Looks around at `place`, over a connection of its own if there is none.
    pub(super) async fn visit(&self, place: &Place) -> Result<Visit, RedisFault> {
        let mut hindrance = None;
        let connecting = async {
            let kept = self.line(place).lock().await.clone();
            if let Some(live) = kept.filter(Live::stands) {
                return Ok(live);
            }
            loop {
                match self.topology.connect(place, self.deadline).await {
                    Err(fault) if self.topology.may_find(place, &fault) => {
                        hindrance = Some(fault);
                        tokio::time::sleep(PAUSE).await;
                    }
                    connected => return connected,
                }
            }
        };
        let connected = tokio::time::timeout(self.deadline, connecting).await;
        let no_answer = || hindrance.unwrap_or(RedisFault::NoAnswer(self.deadline));
        Ok(Visit {
            live: connected.unwrap_or_else(|_| Err(no_answer()))?,
            deadline: self.deadline,
        })
    }

    /// Runs one command on the server that `other` leads to. Nothing when the commands go elsewhere by now.
    pub(super) async fn query_beside(
        &self,
        place: &Place,
        other: &Live,
        command: &Cmd,
    ) -> Option<Value> {
        let kept = self.line(place).lock().await.clone();
        let mut live = kept.filter(|kept| kept.stands() && kept.leads_where(other))?;
        live.query(command).await.ok()
    }

    async fn within_deadline(&self, slot: Slot, ask: Ask<'_>) -> Result<Value, EngineError> {
        let mut used: Option<Live> = None;
        // What stood in the way so far. While something is asked, nobody knows whether it is done.
        let mut hindrance: Option<RedisFault> = None;
        let asking = async {
            loop {
                let fault = match self.live(slot).await {
                    Ok((place, mut live)) => {
                        used = Some(live.clone());
                        hindrance = None;
                        match ask.of(&mut live).await {
                            Ok(answer) => return Ok(answer),
                            Err(error) => self.refused(slot, &place, &live, error)?,
                        }
                    }
                    Err(fault) if self.topology.moves() && fault.may_mend() => fault,
                    Err(fault) => return Err(fault),
                };
                hindrance = Some(fault);
                tokio::time::sleep(PAUSE).await;
            }
        };
        let fault = match tokio::time::timeout(self.deadline, asking).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(fault)) => fault,
            Err(_) => hindrance.unwrap_or(RedisFault::NoAnswer(self.deadline)),
        };
        if fault.breaks_connection()
            && let Some(live) = used
        {
            live.give_up();
        }
        Err(fault.into())
    }

    /// Whether what went wrong at `place` may be asked again, because nothing was done: then what it was.
    fn refused(
        &self,
        slot: Slot,
        place: &Place,
        live: &Live,
        error: RedisError,
    ) -> Result<RedisFault, RedisFault> {
        let fault = if error.is_timeout() {
            RedisFault::NoAnswer(self.deadline)
        } else {
            RedisFault::from(error)
        };
        self.topology.notice(slot, place, &fault);
        if fault.breaks_connection() {
            live.give_up();
        }
        if fault.passes() || (self.topology.moves() && fault.was_refused_here()) {
            Ok(fault)
        } else {
            Err(fault)
        }
    }

    /// The connection to where a slot is.
    async fn live(&self, slot: Slot) -> Result<(Place, Live), RedisFault> {
        let place = self.topology.place(slot).await?;
        self.enter(slot, &place);
        let shared = self.line(&place);
        let mut kept = shared.lock().await;
        if let Some(live) = &*kept
            && live.stands()
        {
            return Ok((place, live.clone()));
        }
        let live = self.topology.connect(&place, self.deadline).await?;
        *kept = Some(live.clone());
        Ok((place, live))
    }

    /// Notes that a slot is used at `place`. The place it was used at before is left once no other slot needs it.
    fn enter(&self, slot: Slot, place: &Place) {
        let mut used = lock(&self.used);
        if used.get(&slot) == Some(place) {
            return;
        }
        if let Some(before) = used.insert(slot, place.clone())
            && !used.values().any(|other| *other == before)
        {
            lock(&self.lines).remove(&before);
        }
    }

    fn line(&self, place: &Place) -> Arc<Line> {
        Arc::clone(lock(&self.lines).entry(place.clone()).or_default())
    }
}

/// A look around at one place.
#[derive(Debug)]
pub(super) struct Visit {
    live: Live,
    deadline: Duration,
}

impl Visit {
    /// Runs one command there.
    pub(super) async fn query(&mut self, command: &Cmd) -> Result<Value, RedisFault> {
        let asking = async {
            loop {
                match self.live.query(command).await.map_err(RedisFault::from) {
                    Err(fault) if fault.passes() => tokio::time::sleep(PAUSE).await,
                    answer => return answer,
                }
            }
        };
        let answer = tokio::time::timeout(self.deadline, asking).await;
        answer.unwrap_or(Err(RedisFault::NoAnswer(self.deadline)))
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
            Self::Several(pipeline) => live.pipeline(pipeline).await,
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
