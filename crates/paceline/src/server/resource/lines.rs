//! `POST /api/{resource}` with NDJSON: a row a line, all in one transaction, or none.
//!
//! Lines are checked as they come and laid aside, in memory first and then in a file without a name; the transaction
//! begins when the last one is there. So a client that is slow, or breaks off, keeps no transaction open and no other
//! writer waiting, and memory stays the same whatever is sent.

use std::io::{BufRead as _, BufReader, Seek as _, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::response::Response;
use bytes::{Buf as _, BytesMut};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt as _;
use paceline_data::resource::{AccessVerb, Resource};
use paceline_data::write::{
    Bodies, Change, Changes, MOST_ROWS_A_STATEMENT, Transaction, WriteError, Writes,
};
use paceline_data::{Principal, RunError};
use paceline_http::problem::{Problem, Violation};
use serde_json::json;
use tempfile::SpooledTempFile;

use super::Routes;
use super::bulk::{
    MOST_MISTAKES, RefusedRow, at_row, check_query, follow, key_object, tell, violations, whole,
};
use super::report::Report;
use super::write::{bodies, touch};
use crate::server::idempotency_key::{KEY_HEADER, idempotency_key};
use crate::server::live::Created;
use crate::server::source::Source;

/// Bytes laid aside in memory.
const IN_MEMORY: usize = 1024 * 1024;

/// Whether the body is NDJSON.
pub(super) fn is_ndjson(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    let text = value.to_str().unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-ndjson")
}

/// Creates a row of each line.
pub(super) async fn create(
    shared: &Routes,
    resource: &Resource,
    head: &Parts,
    body: Body,
) -> Result<Response, Problem> {
    let source = &shared.source;
    check_query(head)?;
    if idempotency_key(&head.headers)?.is_some() {
        return Err(Problem::invalid_header(
            &KEY_HEADER,
            "An NDJSON body has no Idempotency-Key: its answer is too long to be kept. Send an array, or rows with keys of your own.",
        ));
    }
    let writer = source.viewer(&head.headers);
    let touch = touch(source, resource);
    let reading = {
        let bodies = bodies(source, resource, touch.as_ref(), writer.as_ref());
        let reading = Lines::new(source, bodies).read(body);
        tokio::time::timeout(source.bulk.timeout, reading).await
    };
    let spool = reading.unwrap_or_else(|_| Err(too_slow(source.bulk.timeout)))?;
    let shown = source
        .check(resource.id, AccessVerb::Read, &head.headers)
        .is_ok();
    let (owned, id) = (Arc::clone(source), resource.id);
    let refused = RefusedRow::default();
    let inserting = Inserting {
        source: owned,
        writer,
        shown,
        refused: refused.clone(),
        deadline: Instant::now() + source.bulk.timeout,
    };
    if source.database.whole_transactions().is_some() {
        let bodies = bodies(source, resource, touch.as_ref(), inserting.writer.as_ref());
        let done = inserting.whole(resource, bodies, spool).await;
        return answer(shared, resource, done, &refused);
    }
    let work = move |transaction: &mut dyn Transaction| {
        let touch = touch;
        let source = Arc::clone(&inserting.source);
        let resource = source.resources.get(id);
        let bodies = bodies(&source, resource, touch.as_ref(), inserting.writer.as_ref());
        inserting.insert(transaction, resource, bodies, spool)
    };
    let done = source.database.transact(work).await;
    answer(shared, resource, done, &refused)
}

/// Tells the live stream and wakes the relay, and answers with the report.
fn answer(
    shared: &Routes,
    resource: &Resource,
    done: Result<(Created, Report), WriteError>,
    refused: &RefusedRow,
) -> Result<Response, Problem> {
    let (created, report) = done.map_err(|error| at_row(error, refused.get()))?;
    tell(shared, resource, &created);
    report.into_response().map_err(Problem::internal)
}

fn failed(error: std::io::Error) -> WriteError {
    WriteError::Run(RunError::other(error))
}

/// Lines as they come.
struct Lines<'a> {
    source: &'a Source,
    bodies: Bodies<'a>,
    spool: SpooledTempFile,
    /// From 0, blank ones too.
    number: usize,
    rows: usize,
    mistakes: Vec<Violation>,
}

impl<'a> Lines<'a> {
    fn new(source: &'a Source, bodies: Bodies<'a>) -> Self {
        Self {
            source,
            bodies,
            spool: SpooledTempFile::new(IN_MEMORY),
            number: 0,
            rows: 0,
            mistakes: Vec::new(),
        }
    }

    /// Reads to the end: all lines, laid aside, or every mistake in them.
    async fn read(mut self, mut body: Body) -> Result<SpooledTempFile, Problem> {
        let (mut open, mut size) = (BytesMut::new(), 0);
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else {
                return Err(Problem::bad_request(
                    "The body broke off before its end: no row was created. Send the request again.",
                ));
            };
            let Ok(data) = frame.into_data() else {
                continue;
            };
            size += data.len();
            if size > self.source.bulk.max_size {
                return Err(Problem::payload_too_large(self.source.bulk.max_size as u64));
            }
            open.extend_from_slice(&data);
            while let Some(end) = open.iter().position(|byte| *byte == b'\n') {
                let line = open.split_to(end);
                open.advance(1);
                self.line(&line)?;
            }
            if open.len() > self.source.bodies.bytes {
                return Err(Problem::payload_too_large(self.source.bodies.bytes as u64)
                    .with_detail(format!(
                        "Line {} is longer than a body may be.",
                        self.number + 1
                    )));
            }
        }
        self.line(&open)?;
        if self.mistakes.is_empty() && self.rows > 0 {
            return Ok(self.spool);
        }
        if self.mistakes.is_empty() {
            let detail = "There is no row in the body: send an object a line.";
            self.mistakes
                .push(Violation::at_pointer("", "empty", detail));
        }
        self.mistakes.truncate(MOST_MISTAKES);
        Err(Problem::unprocessable(self.mistakes))
    }

    /// One line without its end. After the first mistake nothing is laid aside any more.
    fn line(&mut self, line: &[u8]) -> Result<(), Problem> {
        let index = self.number;
        self.number += 1;
        if !line.trim_ascii().is_empty() {
            self.rows += 1;
            if self.rows > self.source.bulk.max_lines.get() as usize {
                let most = self.source.bulk.max_lines;
                return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-many-rows")
                    .with_detail(format!(
                        "A body has at most {most} rows here: send several requests."
                    )));
            }
            if self.mistakes.len() < MOST_MISTAKES
                && let Err(error) = self.bodies.create(line)
            {
                let place = format!("/{index}");
                let line = format!("Line {}: ", index + 1);
                self.mistakes.extend(violations(error, &place, &line));
            }
        }
        if self.mistakes.is_empty() {
            let laid = self
                .spool
                .write_all(line)
                .and_then(|()| self.spool.write_all(b"\n"));
            laid.map_err(Problem::internal)?;
        }
        Ok(())
    }
}

/// What the transaction needs.
struct Inserting {
    source: Arc<Source>,
    writer: Option<Principal>,
    shown: bool,
    refused: RefusedRow,
    deadline: Instant,
}

impl Inserting {
    fn insert(
        &self,
        transaction: &mut dyn Transaction,
        resource: &Resource,
        bodies: Bodies<'_>,
        spool: SpooledTempFile,
    ) -> Result<(Created, Report), WriteError> {
        let (mut report, mut created) = (Report::new(), Created::default());
        let (mut rows, mut numbers) = (Vec::new(), Vec::new());
        let mut store = |rows: &mut Vec<Changes>, numbers: &mut Vec<usize>| {
            let made = self.batch(transaction, resource, std::mem::take(rows), numbers)?;
            self.report(resource, &made, numbers, &mut report)
                .map_err(failed)?;
            created.add(resource, made);
            numbers.clear();
            Ok::<_, WriteError>(())
        };
        for line in rows_of(bodies, spool)? {
            let (number, changes) = line?;
            rows.push(changes);
            numbers.push(number);
            if rows.len() == MOST_ROWS_A_STATEMENT {
                store(&mut rows, &mut numbers)?;
            }
        }
        if !rows.is_empty() {
            store(&mut rows, &mut numbers)?;
        }
        let end = json!({"count": created.count()});
        report.add(&end).map_err(failed)?;
        Ok((created, report))
    }

    /// The same where the transaction is sent whole: all rows are in memory then.
    async fn whole(
        &self,
        resource: &Resource,
        bodies: Bodies<'_>,
        spool: SpooledTempFile,
    ) -> Result<(Created, Report), WriteError> {
        let lines: Result<Vec<_>, WriteError> = rows_of(bodies, spool)?.collect();
        let (numbers, rows): (Vec<usize>, Vec<Changes>) = lines?.into_iter().unzip();
        let writer = self.writer.as_ref();
        let made = whole(&self.source, resource, writer, rows, Some(self.deadline)).await;
        let made = made.map_err(|refused| {
            self.refused.set(refused.row.map(|row| numbers[row]));
            refused.error
        })?;
        let (mut report, mut created) = (Report::new(), Created::default());
        self.report(resource, &made, &numbers, &mut report)
            .map_err(failed)?;
        created.add(resource, made);
        let end = json!({"count": created.count()});
        report.add(&end).map_err(failed)?;
        Ok((created, report))
    }

    fn batch(
        &self,
        transaction: &mut dyn Transaction,
        resource: &Resource,
        rows: Vec<Changes>,
        numbers: &[usize],
    ) -> Result<Vec<Change>, WriteError> {
        if Instant::now() > self.deadline {
            return Err(RunError::out_of_time().into());
        }
        let writes = Writes::of(&self.source.resources, resource).by(self.writer.as_ref());
        let made = writes.create_all(transaction, rows).map_err(|refused| {
            self.refused.set(refused.row.map(|row| numbers[row]));
            refused.error
        })?;
        follow(&self.source, resource, transaction, &made)?;
        Ok(made)
    }

    /// A line for each row: which line it was, and its key.
    fn report(
        &self,
        resource: &Resource,
        made: &[Change],
        numbers: &[usize],
        report: &mut Report,
    ) -> std::io::Result<()> {
        for (change, number) in made.iter().zip(numbers) {
            let mut line = json!({"line": number + 1, "status": 201});
            if self.shown && resource.has_key() {
                line["key"] = key_object(&self.source, resource, &change.key);
            }
            report.add(&line)?;
        }
        Ok(())
    }
}

/// The rows laid aside, each with the number of its line.
fn rows_of(
    bodies: Bodies<'_>,
    mut spool: SpooledTempFile,
) -> Result<impl Iterator<Item = Result<(usize, Changes), WriteError>> + '_, WriteError> {
    spool.rewind().map_err(failed)?;
    let lines = BufReader::new(spool).split(b'\n').enumerate();
    Ok(lines.filter_map(move |(number, line)| {
        let line = match line.map_err(failed) {
            Ok(line) if line.trim_ascii().is_empty() => return None,
            Ok(line) => line,
            Err(error) => return Some(Err(error)),
        };
        // It was checked before: what does not fit now has been changed on the way.
        let changes = bodies.create(&line).map_err(RunError::other);
        Some(
            changes
                .map(|changes| (number, changes))
                .map_err(WriteError::Run),
        )
    }))
}

fn too_slow(time: Duration) -> Problem {
    Problem::new(StatusCode::REQUEST_TIMEOUT, "body-timeout").with_detail(format!(
        "The body did not arrive within {time:?}: no row was created. Send the request again."
    ))
}
