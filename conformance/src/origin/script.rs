//! What the origin answers to a request.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, request};

use super::body::ScriptBody;
use super::preconditions::refusal;
use super::range;
use crate::case::{Behaviour, Ending, Frame};
use crate::run::MARK;

/// Requests whose acts are counted; later ones are not.
const MOST_MARKS: usize = 100_000;

/// Who judges preconditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preconditions {
    /// Nobody here: what is around the origin does, or does not.
    Ignored,
    /// The origin, before it acts, by its own tags alone.
    Judged,
}

/// All behaviours, ready to answer, and what was acted on.
#[derive(Debug)]
pub struct Script {
    plays: BTreeMap<String, Play>,
    preconditions: Preconditions,
    writes: Mutex<HashMap<String, u64>>,
}

/// One behaviour.
#[derive(Debug)]
struct Play {
    behaviour: Behaviour,
    status: StatusCode,
    headers: HeaderMap,
    frames: Vec<Frame>,
    whole: Bytes,
}

impl Script {
    /// An origin with these behaviours by name.
    ///
    /// # Errors
    ///
    /// A behaviour with a status or a header line that HTTP does not have.
    pub fn new(
        behaviours: BTreeMap<String, Behaviour>,
        preconditions: Preconditions,
    ) -> Result<Self, String> {
        let mut plays = BTreeMap::new();
        for (name, behaviour) in behaviours {
            let play = Play {
                status: StatusCode::from_u16(behaviour.status)
                    .map_err(|error| format!("{name}: {error}"))?,
                headers: behaviour
                    .header_map()
                    .map_err(|error| format!("{name}: {error}"))?,
                frames: behaviour.pieces(),
                whole: behaviour.whole(),
                behaviour,
            };
            plays.insert(name, play);
        }
        Ok(Self {
            plays,
            preconditions,
            writes: Mutex::default(),
        })
    }

    /// The behaviour at this path, and the fields of its plain answer.
    pub fn find(&self, path: &str) -> Option<(&Behaviour, &HeaderMap)> {
        let play = self.plays.get(path.strip_prefix('/')?)?;
        Some((&play.behaviour, &play.headers))
    }

    /// The answer; a method that is not `GET` or `HEAD` acts.
    pub fn answer(&self, request: &request::Parts) -> Response<ScriptBody> {
        let path = request.uri.path();
        if let Some(mark) = path.strip_prefix("/writes-of/") {
            return Response::new(ScriptBody::whole(self.writes_of(mark).to_string().into()));
        }
        let Some(play) = path.strip_prefix('/').and_then(|name| self.plays.get(name)) else {
            let mut response =
                Response::new(ScriptBody::whole(Bytes::from_static(b"no such case\n")));
            *response.status_mut() = StatusCode::NOT_FOUND;
            return response;
        };
        if self.preconditions == Preconditions::Judged
            && play.status.is_success()
            && let Some(status) = refusal(&request.method, &request.headers, &play.headers)
        {
            return play.without_body(status);
        }
        if !matches!(request.method, Method::GET | Method::HEAD) {
            self.act(request.headers.get(MARK));
        }
        play.perform(request)
    }

    fn act(&self, mark: Option<&HeaderValue>) {
        let mark = mark.and_then(|mark| mark.to_str().ok()).unwrap_or_default();
        let mut writes = self.writes.lock().unwrap_or_else(PoisonError::into_inner);
        if writes.len() < MOST_MARKS || writes.contains_key(mark) {
            *writes.entry(mark.to_owned()).or_default() += 1;
        }
    }

    fn writes_of(&self, mark: &str) -> u64 {
        let writes = self.writes.lock().unwrap_or_else(PoisonError::into_inner);
        writes.get(mark).copied().unwrap_or_default()
    }
}

impl Play {
    fn perform(&self, request: &request::Parts) -> Response<ScriptBody> {
        let mut headers = self.headers.clone();
        let mut status = self.status;
        let is_partial = self.behaviour.ranges && request.method == Method::GET;
        let body = if self.behaviour.is_stream() {
            ScriptBody::stream(&self.frames, self.behaviour.ends == Ending::Broken)
        } else if is_partial
            && let Some((part, content_range)) =
                range::part(&request.headers, &self.headers, &self.whole)
        {
            status = StatusCode::PARTIAL_CONTENT;
            range::describe(&mut headers, content_range);
            ScriptBody::whole(part)
        } else {
            ScriptBody::whole(self.whole.clone())
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }

    /// A 304 or 412 with the fields of the plain answer that stay right without its body.
    fn without_body(&self, status: StatusCode) -> Response<ScriptBody> {
        let mut response = Response::new(ScriptBody::whole(Bytes::new()));
        *response.status_mut() = status;
        if status == StatusCode::NOT_MODIFIED {
            *response.headers_mut() = self.headers.clone();
            for name in ["content-type", "content-digest", "content-encoding"] {
                response.headers_mut().remove(name);
            }
        }
        response
    }
}
