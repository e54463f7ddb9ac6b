//! Sessions: what the client is to send back, and the connection that belongs to it.

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mysql_async::Conn;
use serde_json::{Value, json};

use super::held;
use super::refusal::Refusal;

/// Sessions without a transaction that are remembered: their connections count against those of the server.
const MOST: usize = 40;
/// States of a session that are remembered.
const REMEMBERED: usize = 16;

/// The sessions of one double.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    known: Mutex<HashMap<String, Arc<Session>>>,
    numbers: AtomicU64,
}

/// One session.
#[derive(Debug)]
pub(super) struct Session {
    id: String,
    number: u64,
    /// What the client was given, the newest last.
    issued: Mutex<VecDeque<Value>>,
    /// The number of the open transaction; 0 without one.
    pub(super) transaction: AtomicU64,
    /// Set when the transaction was ended by its limit: the client does not know yet.
    pub(super) ended: Mutex<Option<Refusal>>,
    pub(super) connection: tokio::sync::Mutex<Option<Conn>>,
}

/// What a statement changed of its session.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct State {
    pub(super) found_rows: u64,
    pub(super) row_count: u64,
    pub(super) insert_id: u64,
}

impl Sessions {
    /// The session that a request sends back; a new one where it sends none.
    pub(super) fn get(&self, given: &Value) -> Result<Arc<Session>, Refusal> {
        if given.is_null() {
            return Ok(self.begin());
        }
        let refused = || Refusal::of_request(400, "invalid_argument", "invalid session");
        let id = given["vitessSession"]["SessionUUID"].as_str();
        let session = id.and_then(|id| held(&self.known).get(id).cloned());
        let session = session.ok_or_else(refused)?;
        if !session.is_valid(given) {
            return Err(refused());
        }
        Ok(session)
    }

    /// A new session.
    pub(super) fn begin(&self) -> Arc<Session> {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let session = Arc::new(Session {
            id: format!("{number}-{:016x}", random()),
            number,
            issued: Mutex::default(),
            transaction: AtomicU64::new(0),
            ended: Mutex::default(),
            connection: tokio::sync::Mutex::default(),
        });
        session.issue(State::default());
        let mut known = held(&self.known);
        known.insert(session.id.clone(), Arc::clone(&session));
        let idle = known.values().filter(|session| !session.is_busy());
        let mut idle: Vec<_> = idle.map(|idle| (idle.number, idle.id.clone())).collect();
        if idle.len() > MOST {
            idle.sort_unstable();
            known.remove(&idle[0].1);
        }
        session
    }

    pub(super) fn open_transactions(&self) -> usize {
        let known = held(&self.known);
        known.values().filter(|session| session.is_open()).count()
    }

    /// The number of a new transaction.
    pub(super) fn next_transaction() -> u64 {
        static NUMBERS: AtomicU64 = AtomicU64::new(1_682_305_339_595_512_410);
        NUMBERS.fetch_add(1, Ordering::Relaxed)
    }
}

impl Session {
    fn is_open(&self) -> bool {
        self.transaction.load(Ordering::SeqCst) != 0
    }

    fn is_busy(&self) -> bool {
        self.is_open() || self.connection.try_lock().is_err()
    }

    /// Whether this is what the client was given last; or earlier, where no transaction comes into it: Vitess keeps
    /// nothing else of a session.
    fn is_valid(&self, given: &Value) -> bool {
        let issued = held(&self.issued);
        if issued.back() == Some(given) {
            return true;
        }
        let in_transaction = self.is_open() || given["vitessSession"]["inTransaction"] == true;
        !in_transaction && issued.contains(given)
    }

    /// What the client was given last.
    pub(super) fn issued(&self) -> Value {
        held(&self.issued).back().cloned().unwrap_or_default()
    }

    /// Makes what the client has to send back next.
    pub(super) fn issue(&self, state: State) {
        let mut inner = json!({
            "autocommit": true,
            "options": {"includedFields": "ALL", "clientFoundRows": true},
            "foundRows": state.found_rows.to_string(),
            "rowCount": state.row_count.to_string(),
            "DDLStrategy": "direct",
            "SessionUUID": self.id,
            "enableSystemSettings": true,
        });
        if state.insert_id != 0 {
            inner["lastInsertId"] = json!(state.insert_id.to_string());
        }
        if self.is_open() {
            inner["inTransaction"] = json!(true);
        }
        let signature = STANDARD.encode(format!("{:016x}{:016x}", random(), random()));
        let mut issued = held(&self.issued);
        issued.push_back(json!({"signature": signature, "vitessSession": inner}));
        if issued.len() > REMEMBERED {
            issued.pop_front();
        }
    }
}

/// Nobody guesses it; nothing more is wanted of it.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
