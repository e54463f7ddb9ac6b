//! One statement, on the connection of its session.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use mysql_async::consts::StatusFlags;
use mysql_async::prelude::Queryable as _;
use mysql_async::{Column, Conn, Opts};
use serde_json::{Map, Value};

use super::encode;
use super::held;
use super::refusal::Refusal;
use super::service::Service;
use super::session::{Session, Sessions, State};
use super::text;
use super::vendor_type;

/// Why a statement gave no result.
enum Failure {
    Server(mysql_async::Error),
    TooManyRows,
}

impl From<mysql_async::Error> for Failure {
    fn from(error: mysql_async::Error) -> Self {
        Self::Server(error)
    }
}

/// Ends a connection on the server when the client went away before its statement was over.
struct Leaving {
    opts: Opts,
    connection: u32,
    over: bool,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        if !self.over {
            tokio::spawn(kill(self.opts.clone(), self.connection));
        }
    }
}

impl Service {
    /// Runs a statement; gives the result as the vendor's JSON has it.
    pub(super) async fn execute(
        &self,
        session: &Arc<Session>,
        query: &str,
    ) -> Result<Value, Refusal> {
        if let Some(objection) = text::objection(query) {
            return Err(Refusal::of_gate(objection));
        }
        let Ok(mut place) = session.connection.try_lock() else {
            let message = "session already in use";
            return Err(Refusal::of_request(403, "permission_denied", message));
        };
        if let Some(refusal) = ended(session) {
            return Err(refusal);
        }
        let mut connection = match place.take() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let mut leaving = Leaving {
            opts: self.opts.clone(),
            connection: connection.id(),
            over: false,
        };
        let outcome = self.run(&mut connection, query).await;
        leaving.over = true;
        if let Some(refusal) = ended(session) {
            return Err(refusal);
        }
        let in_transaction = match &outcome {
            Err(_) => asks_transaction(&mut connection).await,
            Ok(_) => status(&connection),
        };
        self.note(session, in_transaction, connection.id());
        *place = Some(connection);
        match outcome {
            Ok((result, state)) => {
                session.issue(state);
                Ok(Value::Object(result))
            }
            Err(failure) => {
                session.issue(State::default());
                Err(match failure {
                    Failure::Server(error) => Refusal::of_server(&self.database, &error, query),
                    Failure::TooManyRows => Refusal::rows(&self.database, self.options.row_limit),
                })
            }
        }
    }

    async fn connect(&self) -> Result<Conn, Refusal> {
        let connection = Conn::new(self.opts.clone()).await;
        connection.map_err(|error| Refusal::of_server(&self.database, &error, ""))
    }

    async fn run(
        &self,
        connection: &mut Conn,
        query: &str,
    ) -> Result<(Map<String, Value>, State), Failure> {
        let number = connection.id();
        let query = match &self.options.version {
            Some(version) => Cow::Owned(query.replace("VERSION()", &format!("'{version}'"))),
            None => Cow::Borrowed(query),
        };
        let mut result = connection.query_iter(&*query).await?;
        let columns = result.columns().filter(|columns| !columns.is_empty());
        let mut rows = Vec::new();
        let mut asked_to_stop = false;
        loop {
            let row = match result.next().await {
                Ok(Some(row)) => row,
                Ok(None) => break,
                // It was told to stop.
                Err(_) if asked_to_stop => return Err(Failure::TooManyRows),
                Err(error) => return Err(error.into()),
            };
            if rows.len() < self.options.row_limit {
                rows.push(encode::row(row));
            } else if !asked_to_stop {
                asked_to_stop = true;
                kill_query(self.opts.clone(), number).await;
            }
        }
        if asked_to_stop {
            return Err(Failure::TooManyRows);
        }
        let (affected, insert_id) = (result.affected_rows(), result.last_insert_id());
        drop(result);
        let mut answer = Map::new();
        let mut state = State {
            insert_id: insert_id.unwrap_or_default(),
            found_rows: u64::try_from(rows.len()).expect("it fits"),
            row_count: 0,
        };
        if let Some(columns) = columns {
            let fields = self.fields(&columns).await?;
            answer.insert("fields".to_owned(), Value::Array(fields));
            if !rows.is_empty() {
                answer.insert("rows".to_owned(), Value::Array(rows));
            }
        } else {
            state.row_count = affected;
            encode::count(&mut answer, "rowsAffected", affected);
            encode::count(&mut answer, "insertId", state.insert_id);
        }
        Ok((answer, state))
    }

    async fn fields(&self, columns: &[Column]) -> Result<Vec<Value>, mysql_async::Error> {
        let json = self.json_columns(columns).await?;
        let field = |column: &Column| {
            let place = (
                column.org_table_str().into_owned(),
                format!("json_valid(`{}`)", column.org_name_str()),
            );
            let is_json = vendor_type::may_be_json(column) && json.contains(&place);
            encode::field(column, is_json)
        };
        Ok(columns.iter().map(field).collect())
    }

    /// The rules of tables that say that a column is JSON.
    async fn json_columns(
        &self,
        columns: &[Column],
    ) -> Result<HashSet<(String, String)>, mysql_async::Error> {
        if !columns.iter().any(vendor_type::may_be_json) {
            return Ok(HashSet::new());
        }
        let mut connection = Conn::new(self.opts.clone()).await?;
        let rules = "SELECT TABLE_NAME, CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS \
             WHERE CONSTRAINT_SCHEMA = DATABASE() AND CHECK_CLAUSE LIKE 'json_valid(%'";
        let rules: Vec<(String, String)> = connection.query(rules).await?;
        Ok(rules.into_iter().collect())
    }

    /// Notes whether a transaction is open now; one that has begun ends at its limit.
    fn note(&self, session: &Arc<Session>, in_transaction: bool, connection: u32) {
        let open = session.transaction.load(Ordering::SeqCst);
        if !in_transaction {
            session.transaction.store(0, Ordering::SeqCst);
            return;
        }
        if open != 0 {
            return;
        }
        let number = Sessions::next_transaction();
        session.transaction.store(number, Ordering::SeqCst);
        let refusal = Refusal::transaction(&self.database, number, self.options.transaction_limit);
        let (session, opts) = (Arc::clone(session), self.opts.clone());
        let limit = self.options.transaction_limit;
        tokio::spawn(async move {
            tokio::time::sleep(limit).await;
            if session.transaction.load(Ordering::SeqCst) == number {
                *held(&session.ended) = Some(refusal);
                kill(opts, connection).await;
                if let Ok(mut place) = session.connection.try_lock() {
                    place.take();
                }
            }
        });
    }
}

/// Why the session's transaction was ended, told once.
fn ended(session: &Session) -> Option<Refusal> {
    let refusal = held(&session.ended).take()?;
    session.transaction.store(0, Ordering::SeqCst);
    session.issue(State::default());
    Some(refusal)
}

/// Whether a transaction is open, as the server's last answer says.
fn status(connection: &Conn) -> bool {
    let last = connection.last_ok_packet();
    last.is_some_and(|ok| {
        ok.status_flags()
            .contains(StatusFlags::SERVER_STATUS_IN_TRANS)
    })
}

/// The same where the last answer was an error, which does not say it.
async fn asks_transaction(connection: &mut Conn) -> bool {
    let open: Result<Option<u8>, _> = connection.query_first("SELECT @@in_transaction").await;
    matches!(open, Ok(Some(1)))
}

async fn kill(opts: Opts, connection: u32) {
    administer(opts, &format!("KILL {connection}")).await;
}

async fn kill_query(opts: Opts, connection: u32) {
    administer(opts, &format!("KILL QUERY {connection}")).await;
}

/// Does what can fail only because it is done already.
async fn administer(opts: Opts, statement: &str) {
    if let Ok(mut connection) = Conn::new(opts).await {
        let _ = connection.query_drop(statement).await;
    }
}
