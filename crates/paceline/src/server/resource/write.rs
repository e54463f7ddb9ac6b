//! POST, PATCH, PUT and DELETE: the body checked, one statement with its precondition, the row answered. What is done
//! beside it, a job that follows or an answer that is kept, is done in its transaction.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{ETAG, LOCATION};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use paceline_data::encode::OneEncoder;
use paceline_data::plan::{OnePlan, format_key};
use paceline_data::query::{Dialect, OneQuery, parse_one};
use paceline_data::resource::{AccessVerb, Resource, WriteVerb};
use paceline_data::write::{
    Bodies, Change, ChangeKind, ReadBack, Touch, Transaction, WriteError, WritePlan, Writes,
    Written,
};
use paceline_data::{Principal, Statement, Value};
use paceline_http::problem::Problem;

use super::follow::Follow;
use super::precondition::{Asked, asked};
use super::repeat::{Claim, Repeatable};
use super::reply::Reply;
use super::{Routes, bulk, failure, lines, one};
use crate::server::body::read_json;
use crate::server::source::Source;

/// `POST /api/{resource}`.
pub(super) async fn create(
    shared: &Routes,
    resource: &Resource,
    head: &Parts,
    body: Body,
) -> Result<Response, Problem> {
    let source = &shared.source;
    if lines::is_ndjson(&head.headers) {
        return lines::create(shared, resource, head, body).await;
    }
    let bytes = read_json(&head.headers, body, source.bodies).await?;
    if bulk::is_array(&bytes) {
        return bulk::create(shared, resource, head, bytes).await;
    }
    let query = selection(source, resource, head)?;
    let writer = source.viewer(&head.headers);
    let changes = bodies(
        source,
        resource,
        touch(source, resource).as_ref(),
        writer.as_ref(),
    )
    .create(&bytes)
    .map_err(failure::body)?;
    let plan = Writes::of(&source.resources, resource)
        .by(writer.as_ref())
        .create(&changes);
    let repeat = Repeatable::of(head, writer.as_ref(), &bytes)?;
    perform(shared, resource, query, (plan, &[]), repeat).await
}

/// PATCH, PUT or DELETE of `/api/{resource}/{key}`.
pub(super) async fn change(
    shared: &Routes,
    resource: &Resource,
    verb: WriteVerb,
    head: &Parts,
    body: Body,
) -> Result<Response, Problem> {
    let source = &shared.source;
    let query = selection(source, resource, head)?;
    let key = one::key_of(source, resource, &head.uri)?;
    let asked = asked(&head.headers, source.rules(resource).require_match)?;
    let writer = source.viewer(&head.headers);
    check_none_of(source, resource, &key, writer.clone(), &asked).await?;
    let plans = Writes::of(&source.resources, resource).by(writer.as_ref());
    if verb == WriteVerb::Delete {
        let plan = plans.delete(&key, asked.precondition);
        let repeat = Repeatable::of(head, writer.as_ref(), &[])?;
        return perform(shared, resource, query, (plan, &key), repeat).await;
    }
    let bytes = read_json(&head.headers, body, source.bodies).await?;
    let touch = touch(source, resource);
    let bodies = bodies(source, resource, touch.as_ref(), writer.as_ref());
    let plan = if verb == WriteVerb::Update {
        let changes = bodies.update(&key, &bytes).map_err(failure::body)?;
        plans.update(&key, &changes, asked.precondition)
    } else {
        let changes = bodies.replace(&key, &bytes).map_err(failure::body)?;
        let may_create = source.check(resource.id, AccessVerb::Create, &head.headers);
        let plans = plans.may_create(may_create.is_ok());
        plans.replace(&key, &changes, asked.precondition)
    };
    let repeat = Repeatable::of(head, writer.as_ref(), &bytes)?;
    perform(shared, resource, query, (plan, &key), repeat).await
}

/// What of the row is answered: the same choices as for GET. `None` for those who may write rows and not
/// read them; naming rows of others that they may not read is refused.
fn selection(
    source: &Source,
    resource: &Resource,
    head: &Parts,
) -> Result<Option<OneQuery>, Problem> {
    let query = head.uri.query().unwrap_or_default();
    let mut query = parse_one(&source.resources, resource, Dialect::Plain, query)
        .map_err(|error| failure::query(&error))?;
    let readable = source.check(resource.id, AccessVerb::Read, &head.headers);
    if readable.is_err() {
        return Ok(None);
    }
    query.viewer = source.viewer(&head.headers);
    let key = vec![Value::Null; resource.key.len()];
    let nested = OnePlan::new(&source.resources, &query, &key).nested;
    source.check_nested(&nested, &head.headers)?;
    Ok(Some(query))
}

pub(super) fn bodies<'a>(
    source: &'a Source,
    resource: &'a Resource,
    touch: Option<&'a Touch>,
    writer: Option<&'a Principal>,
) -> Bodies<'a> {
    Bodies {
        resource,
        table: source.resources.table_of(resource),
        touch,
        writer,
    }
}

pub(super) fn touch(source: &Source, resource: &Resource) -> Option<Touch> {
    let column = source.rules(resource).touch?;
    let now = jiff::Timestamp::now();
    let value = Value::Text(format!("{now:.3}"));
    Some(Touch { column, value })
}

/// `If-None-Match` with tags on a write: 412 when one of them is the row's (RFC 9110 section 13.1.2).
async fn check_none_of(
    source: &Source,
    resource: &Resource,
    key: &[Value],
    viewer: Option<Principal>,
    asked: &Asked,
) -> Result<(), Problem> {
    if asked.none_of.is_empty() {
        return Ok(());
    }
    let mut query = parse_one(&source.resources, resource, Dialect::Plain, "")
        .map_err(|error| failure::query(&error))?;
    query.viewer = viewer;
    let plan = OnePlan::new(&source.resources, &query, key);
    let row = source
        .database
        .run(plan.statement.clone(), plan.encoder())
        .await
        .map_err(failure::run)?;
    match row.encoder.version() {
        Some(version) if asked.none_of.iter().any(|tag| tag == version) => {
            Err(Problem::precondition_failed())
        }
        _ => Ok(()),
    }
}

/// Runs the write, reads the row back before the commit, tells the live stream after it. `key` is that of the row
/// addressed, empty where there is none.
async fn perform(
    shared: &Routes,
    resource: &Resource,
    query: Option<OneQuery>,
    (plan, key): (WritePlan, &[Value]),
    repeat: Option<Repeatable>,
) -> Result<Response, Problem> {
    let source = &shared.source;
    let read_back = query
        .filter(|_| resource.has_key())
        .map(|query| OnePlan::read_back(&source.resources, &query));
    let place = format!("{}/api/{}", source.public_path, resource.path);
    let follow = source.follow(resource).cloned();
    let is_whole = source.database.whole_transactions().is_some();
    let done = if repeat.is_some() && is_whole {
        Ok(Done::Not(Claim::NotInteractive))
    } else if repeat.is_none() && follow.is_none() {
        let written = source.database.write_and_read(plan, read_back).await;
        written.map(|(written, answer)| {
            let row = answer.filter(|row| row.rows > 0).map(|row| row.bytes);
            Done::Written(respond(&place, &written, row), written.change)
        })
    } else {
        let beside = Beside {
            repeat,
            follow,
            place,
            key: key.to_vec(),
        };
        let work =
            move |transaction: &mut dyn Transaction| beside.write(transaction, &plan, read_back);
        source.database.transact(work).await
    };
    match done.map_err(failure::write)? {
        Done::Written(reply, change) => {
            if let Some(live) = &shared.live {
                live.tell_change(resource, &change);
            }
            shared.wake_relay();
            Ok(reply.into_response())
        }
        Done::Not(claim) => {
            let reply = claim.into_reply();
            let reply =
                reply.unwrap_or_else(|| Err(Problem::internal("a claim without its write")));
            Ok(reply?.into_response())
        }
    }
}

/// What came of a write.
enum Done {
    /// It took place.
    Written(Reply, Change),
    /// Its key says that it was done, or may not be.
    Not(Claim),
}

/// What is done in the transaction of a write beside it.
struct Beside {
    repeat: Option<Repeatable>,
    follow: Option<Follow>,
    place: String,
    key: Vec<Value>,
}

impl Beside {
    fn write(
        self,
        transaction: &mut dyn Transaction,
        plan: &WritePlan,
        read_back: Option<ReadBack<OneEncoder>>,
    ) -> Result<Done, WriteError> {
        if let Some(repeat) = &self.repeat {
            match repeat.claim(transaction)? {
                Claim::New => {}
                claim => return Ok(Done::Not(claim)),
            }
        }
        let gone = match &self.follow {
            Some(follow) if follow.reads_deleted() => follow.read(transaction, &self.key)?,
            _ => None,
        };
        let written = transaction.write(plan)?;
        let row = read(transaction, &written, read_back)?;
        if let Some(follow) = &self.follow {
            let change = &written.change;
            follow.add(transaction, (change.kind, &change.key), gone)?;
        }
        let reply = respond(&self.place, &written, row);
        if let Some(repeat) = &self.repeat {
            repeat.store(transaction, &reply)?;
        }
        Ok(Done::Written(reply, written.change))
    }
}

/// The row as it is after the write; `None` when it is gone, or not to be shown.
fn read(
    transaction: &mut dyn Transaction,
    written: &Written,
    read_back: Option<ReadBack<OneEncoder>>,
) -> Result<Option<Vec<u8>>, WriteError> {
    let is_there = written.change.kind != ChangeKind::Deleted && !written.change.key.is_empty();
    let Some(ReadBack {
        sql,
        mut values,
        mut encoder,
    }) = read_back.filter(|_| is_there)
    else {
        return Ok(None);
    };
    values.extend_from_slice(&written.change.key);
    let (row, count) = transaction.encode(&Statement { sql, values }, &mut encoder)?;
    Ok((count > 0).then_some(row))
}

/// `place` is where the resource is.
fn respond(place: &str, written: &Written, row: Option<Vec<u8>>) -> Reply {
    let created = written.change.kind == ChangeKind::Created;
    let Some(row) = row else {
        // As of many rows: who may not read it, or a row without a key, gets the count.
        return if created {
            let count = br#"{"count":1}"#.to_vec();
            Reply::of(StatusCode::CREATED, "application/json", count)
        } else {
            Reply::empty(StatusCode::NO_CONTENT)
        };
    };
    let status = if created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let tag = written
        .row_version
        .as_ref()
        .map(|version| one::row_tag(version, &row));
    let mut reply = Reply::of(status, "application/json", row);
    if let Some(tag) = tag {
        reply.headers.insert(ETAG, tag.header_value().clone());
    }
    if created {
        let location = format!("{place}/{}", format_key(&written.change.key));
        // A path of odd characters is answered without its address rather than not at all.
        if let Ok(location) = HeaderValue::try_from(location) {
            reply.headers.insert(LOCATION, location);
        }
    }
    reply
}
