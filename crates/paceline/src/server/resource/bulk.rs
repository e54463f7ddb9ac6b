//! `POST /api/{resource}` with a JSON array: all rows in one transaction, or none.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;
use paceline_data::catalog::ColumnKind;
use paceline_data::encode::BigIntegers;
use paceline_data::resource::{AccessVerb, Resource};
use paceline_data::write::{
    BodyError, Change, ChangeKind, Changes, RowRefused, Transaction, WriteError, Writes,
};
use paceline_data::{Principal, Value};
use paceline_http::problem::{Problem, Violation};
use serde_json::json;
use serde_json::value::RawValue;

use super::repeat::{Claim, Repeatable};
use super::reply::Reply;
use super::write::{bodies, touch};
use super::{Routes, failure};
use crate::server::live::Created;
use crate::server::source::Source;

/// The most mistakes that are told of one request.
pub(super) const MOST_MISTAKES: usize = 100;

/// Whether a body is meant to be many rows.
pub(super) fn is_array(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'[')
}

/// Creates the rows of an array.
pub(super) async fn create(
    shared: &Routes,
    resource: &Resource,
    head: &Parts,
    body: Bytes,
) -> Result<Response, Problem> {
    let source = &shared.source;
    check_query(head)?;
    let writer = source.viewer(&head.headers);
    let repeat = Repeatable::of(head, writer.as_ref(), &body)?;
    let rows = checked(source, resource, writer.as_ref(), &body)?;
    let shown = source
        .check(resource.id, AccessVerb::Read, &head.headers)
        .is_ok();
    if source.database.whole_transactions().is_some() {
        if repeat.is_some() {
            return finish(shared, resource, Done::Not(Claim::NotInteractive));
        }
        let made = whole(source, resource, writer.as_ref(), rows, None).await;
        let made = made.map_err(|refused| at_row(refused.error, refused.row))?;
        let reply = reply(source, resource, &made, shown);
        let mut created = Created::default();
        created.add(resource, made);
        return finish(shared, resource, Done::Made(created, reply));
    }
    let (owned, id) = (Arc::clone(source), resource.id);
    let refused = RefusedRow::default();
    let refusing = refused.clone();
    let work = move |transaction: &mut dyn Transaction| {
        if let Some(repeat) = &repeat {
            match repeat.claim(transaction)? {
                Claim::New => {}
                claim => return Ok(Done::Not(claim)),
            }
        }
        let resource = owned.resources.get(id);
        let plans = Writes::of(&owned.resources, resource).by(writer.as_ref());
        let made = plans.create_all(transaction, rows).map_err(|error| {
            refusing.set(error.row);
            error.error
        })?;
        follow(&owned, resource, transaction, &made)?;
        let reply = reply(&owned, resource, &made, shown);
        if let Some(repeat) = &repeat {
            repeat.store(transaction, &reply)?;
        }
        let mut created = Created::default();
        created.add(resource, made);
        Ok(Done::Made(created, reply))
    };
    let done = source.database.transact(work).await;
    let done = done.map_err(|error| at_row(error, refused.get()))?;
    finish(shared, resource, done)
}

/// What is told of the row that was refused.
pub(super) fn at_row(error: WriteError, row: Option<usize>) -> Problem {
    let place = row.map(|row| format!("/{row}"));
    failure::write_at(error, &place.unwrap_or_default())
}

/// Creates rows in a transaction that is sent whole; without a deadline it has the time of a query.
pub(super) async fn whole(
    source: &Source,
    resource: &Resource,
    writer: Option<&Principal>,
    rows: Vec<Changes>,
    deadline: Option<Instant>,
) -> Result<Vec<Change>, RowRefused> {
    let Some(transactions) = source.database.whole_transactions() else {
        return Err(WriteError::NotInteractive.into());
    };
    let every = Writes::of(&source.resources, resource).by(writer);
    transactions.create_all(every, rows, deadline).await
}

/// Tells the live stream, wakes the relay, answers.
fn finish(shared: &Routes, resource: &Resource, done: Done) -> Result<Response, Problem> {
    let reply = match done {
        Done::Made(created, reply) => {
            tell(shared, resource, &created);
            reply
        }
        Done::Not(claim) => claim
            .into_reply()
            .unwrap_or_else(|| Err(Problem::internal("a claim without its work")))?,
    };
    Ok(reply.into_response())
}

/// What came of the work.
#[derive(Debug)]
enum Done {
    /// The key says that it was done, or may not be.
    Not(Claim),
    /// These rows were created.
    Made(Created, Reply),
}

/// Tells the live stream, wakes the relay.
pub(super) fn tell(shared: &Routes, resource: &Resource, created: &Created) {
    if let Some(live) = &shared.live {
        live.tell_created(resource, created);
    }
    shared.wake_relay();
}

/// Which row the work stopped at: an error that undoes a transaction says only why.
#[derive(Debug, Clone, Default)]
pub(super) struct RefusedRow(Arc<Mutex<Option<usize>>>);

impl RefusedRow {
    pub(super) fn set(&self, row: Option<usize>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = row;
    }

    pub(super) fn get(&self) -> Option<usize> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The jobs that follow rows that were created.
pub(super) fn follow(
    source: &Source,
    resource: &Resource,
    transaction: &mut dyn Transaction,
    made: &[Change],
) -> Result<(), WriteError> {
    let Some(follow) = source.follow(resource) else {
        return Ok(());
    };
    let mut made = made.iter();
    made.try_for_each(|change| follow.add(transaction, (ChangeKind::Created, &change.key), None))
}

/// Many rows are answered by their keys: what would be selected of them is not chosen.
pub(super) fn check_query(head: &Parts) -> Result<(), Problem> {
    match head.uri.query() {
        None | Some("") => Ok(()),
        Some(query) => {
            let name = query
                .split(['=', '&'])
                .next()
                .unwrap_or_default()
                .to_owned();
            let detail = "Many rows are created without parameters: their keys are answered.";
            Err(Problem::invalid_parameter(name, detail).with_code("unknown-parameter"))
        }
    }
}

/// Every row, or every mistake in any of them.
fn checked(
    source: &Source,
    resource: &Resource,
    writer: Option<&Principal>,
    body: &[u8],
) -> Result<Vec<Changes>, Problem> {
    let rows: Vec<&RawValue> = serde_json::from_slice(body).map_err(|error| {
        Problem::malformed_body(format!(
            "The body is not JSON: {error}. Send a JSON array of objects."
        ))
    })?;
    let most = source.bulk.max_rows.get() as usize;
    if rows.len() > most {
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-many-rows").with_detail(
            format!("An array has at most {most} rows here. Send more as application/x-ndjson, or in several requests."),
        ));
    }
    if rows.is_empty() {
        let detail = "The array is empty: send at least one row.";
        return Err(Problem::unprocessable([Violation::at_pointer(
            "", "empty", detail,
        )]));
    }
    let touch = touch(source, resource);
    let bodies = bodies(source, resource, touch.as_ref(), writer);
    let (mut good, mut mistakes) = (Vec::with_capacity(rows.len()), Vec::new());
    for (index, row) in rows.iter().enumerate() {
        match bodies.create(row.get().as_bytes()) {
            Ok(changes) => good.push(changes),
            Err(error) => mistakes.extend(violations(error, &format!("/{index}"), "")),
        }
        if mistakes.len() >= MOST_MISTAKES {
            break;
        }
    }
    if mistakes.is_empty() {
        Ok(good)
    } else {
        mistakes.truncate(MOST_MISTAKES);
        Err(Problem::unprocessable(mistakes))
    }
}

/// The mistakes of one row, at its place.
pub(super) fn violations(error: BodyError, place: &str, line: &str) -> Vec<Violation> {
    match error {
        BodyError::Invalid(errors) => {
            let errors = errors.into_iter();
            let at = |pointer: String| format!("{place}{pointer}");
            errors
                .map(|error| {
                    let text = format!("{line}{}", error.message);
                    Violation::at_pointer(at(error.pointer), error.code.as_str(), text)
                })
                .collect()
        }
        BodyError::Malformed(_) => {
            let text = format!("{line}This is not JSON: send one object.");
            vec![Violation::at_pointer(place.to_owned(), "malformed", text)]
        }
    }
}

fn reply(source: &Source, resource: &Resource, made: &[Change], shown: bool) -> Reply {
    let mut body = json!({"count": made.len()});
    if shown && resource.has_key() {
        let keys = made
            .iter()
            .map(|change| key_object(source, resource, &change.key));
        body["data"] = keys.collect();
    }
    Reply::of(
        StatusCode::CREATED,
        "application/json",
        body.to_string().into_bytes(),
    )
}

/// The key of a row as an object of its fields.
pub(super) fn key_object(source: &Source, resource: &Resource, key: &[Value]) -> serde_json::Value {
    let table = source.resources.table_of(resource);
    let columns = resource
        .key
        .iter()
        .map(|column| table.columns[*column].name.clone());
    let columns_and_values = resource.key.iter().zip(key);
    let values = columns_and_values
        .map(|(column, value)| json_of(source, table.columns[*column].kind, value));
    serde_json::Value::Object(columns.zip(values).collect())
}

fn json_of(source: &Source, kind: ColumnKind, value: &Value) -> serde_json::Value {
    use base64::Engine as _;
    const EXACT: u64 = 1 << 53;
    let strings = source.resources.big_integers() == BigIntegers::Strings;
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Integer(number) if strings && number.unsigned_abs() >= EXACT => {
            json!(number.to_string())
        }
        Value::Integer(number) => json!(number),
        Value::Real(number) => json!(number),
        // A whole number beyond 64 bits with a sign.
        Value::Text(text) if kind == ColumnKind::Integer && !strings => text
            .parse::<u64>()
            .map_or_else(|_| json!(text), |number| json!(number)),
        Value::Text(text) => json!(text),
        Value::RawText(bytes) => json!(String::from_utf8_lossy(bytes)),
        Value::Blob(bytes) => json!(base64::engine::general_purpose::STANDARD.encode(bytes)),
    }
}
