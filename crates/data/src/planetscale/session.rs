//! A session: statements one after the other, each with what the vendor handed out last.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::StatusCode;
use serde::Serialize;
use serde_json::value::RawValue;

use super::client::{Inner, PlanetScaleClient};
use super::error::PlanetScaleError;
use super::reply::{Reply, said};
use super::rows::Rows;
use crate::vendor_http::Post;

/// Whether a statement may be carried out twice. It is sent again then when its connection was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// It changes something, or stands in a transaction: what may have arrived is not sent again.
    Never,
    /// It only reads.
    Allowed,
}

/// Where statements are sent.
const EXECUTE: &str = "/psdb.v1alpha1.Database/Execute";

/// What decides how text and moments are read, and which database this is.
const CHECK: &str = "SELECT @@session.sql_mode, @@session.character_set_client, \
    @@session.character_set_connection, @@session.character_set_results, @@session.time_zone, \
    @@global.system_time_zone, DATABASE()";

/// The body of a request.
#[derive(Serialize)]
struct Asked<'a> {
    query: &'a str,
    session: Option<&'a RawValue>,
}

/// A session of a [`PlanetScaleClient`]. Dropped between two statements, it is kept for the next who needs one.
#[derive(Debug)]
pub struct PlanetScaleSession {
    client: PlanetScaleClient,
    state: Option<Box<RawValue>>,
    /// Whether its last statement was answered, and nothing of it is open.
    is_clean: bool,
}

impl PlanetScaleSession {
    /// A new one, checked.
    pub(super) async fn begin(
        client: PlanetScaleClient,
        deadline: Instant,
    ) -> Result<Self, PlanetScaleError> {
        let mut session = Self {
            client,
            state: None,
            is_clean: false,
        };
        let facts = session.execute(CHECK, Repeat::Allowed, deadline).await?;
        let checked = session.inner().judge(&facts);
        session.is_clean = checked.is_ok();
        checked.map(|()| session)
    }

    /// One that was kept.
    pub(super) fn resume(client: PlanetScaleClient, state: Box<RawValue>) -> Self {
        Self {
            client,
            state: Some(state),
            is_clean: true,
        }
    }

    /// Runs one statement; values stand in its text ([`literal`](super::literal())). Dropping the future closes the
    /// connection, and gives the session up.
    ///
    /// # Errors
    /// [`PlanetScaleError`] when there is no result by `deadline`.
    pub async fn execute(
        &mut self,
        sql: &str,
        repeat: Repeat,
        deadline: Instant,
    ) -> Result<Rows, PlanetScaleError> {
        let was_clean = std::mem::replace(&mut self.is_clean, false);
        let inner = Arc::clone(self.inner());
        let server = &inner.server;
        let under_way = inner.counted.begin();
        let post = self.post(sql, repeat);
        let reply = inner.http.post(&post, deadline).await;
        let reply = reply.map_err(|error| PlanetScaleError::http(server, error))?;
        if reply.status != StatusCode::OK {
            let said = said(&reply.body);
            return Err(PlanetScaleError::status(server, reply.status, said));
        }
        let reply =
            Reply::read(reply.body).map_err(|error| PlanetScaleError::unreadable(server, error))?;
        if reply.session.is_some() {
            self.state = reply.session;
        }
        self.is_clean = was_clean;
        match reply.outcome {
            Ok(rows) => {
                under_way.succeeded(reply.seconds);
                Ok(rows)
            }
            Err(told) => Err(PlanetScaleError::refused(server, told.into())),
        }
    }

    fn post(&self, sql: &str, repeat: Repeat) -> Post {
        let asked = Asked {
            query: sql,
            session: self.state.as_deref(),
        };
        let body = serde_json::to_vec(&asked).expect("a text and JSON have a JSON form");
        Post {
            path: EXECUTE.to_owned(),
            headers: self.inner().headers.clone(),
            body: Bytes::from(body),
            twice: repeat == Repeat::Allowed,
        }
    }

    /// Something is open on it: it is not to be kept when it is dropped now. Or is no longer.
    pub(super) fn set_clean(&mut self, is_clean: bool) {
        self.is_clean = is_clean;
    }

    pub(super) fn inner(&self) -> &Arc<Inner> {
        self.client.inner()
    }
}

impl Drop for PlanetScaleSession {
    fn drop(&mut self) {
        if self.is_clean
            && let Some(state) = self.state.take()
        {
            self.client.inner().keep(state);
        }
    }
}
