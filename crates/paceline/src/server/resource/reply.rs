//! The answer to a write as data: it may be kept, and given again.

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

/// Headers that belong to the answer; all others are the server's.
const KEPT: [HeaderName; 3] = [CONTENT_TYPE, ETAG, LOCATION];

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// Its head as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    status: u16,
    headers: Vec<(String, String)>,
}

impl Reply {
    /// Without a body.
    pub(super) fn empty(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: Vec::new(),
        }
    }

    /// With a body of this type.
    pub(super) fn of(status: StatusCode, kind: &'static str, body: Vec<u8>) -> Self {
        let mut reply = Self::empty(status);
        reply
            .headers
            .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        reply.body = body;
        reply
    }

    /// Status and headers as text.
    pub(super) fn head(&self) -> String {
        let headers = KEPT.iter().filter_map(|name| {
            let value = self.headers.get(name)?.to_str().ok()?;
            Some((name.to_string(), value.to_owned()))
        });
        let head = Head {
            status: self.status.as_u16(),
            headers: headers.collect(),
        };
        serde_json::to_string(&head).expect("numbers and texts have a JSON form")
    }

    /// What was kept; `None` when it cannot be read.
    pub(super) fn kept(head: &str, body: Vec<u8>) -> Option<Self> {
        let head: Head = serde_json::from_str(head).ok()?;
        let mut reply = Self::empty(StatusCode::from_u16(head.status).ok()?);
        for name in &KEPT {
            let value = head
                .headers
                .iter()
                .find(|(known, _)| known == name.as_str());
            if let Some((_, value)) = value {
                reply
                    .headers
                    .insert(name, HeaderValue::try_from(value).ok()?);
            }
        }
        reply.body = body;
        Some(reply)
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        (self.status, self.headers, self.body).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_the_same_answer() {
        let mut reply = Reply::of(StatusCode::CREATED, "application/json", b"{}".to_vec());
        reply
            .headers
            .insert(ETAG, HeaderValue::from_static("\"v.1\""));
        reply
            .headers
            .insert(LOCATION, HeaderValue::from_static("/api/a/1"));
        assert_eq!(Reply::kept(&reply.head(), b"{}".to_vec()), Some(reply));
        let empty = Reply::empty(StatusCode::NO_CONTENT);
        assert_eq!(Reply::kept(&empty.head(), Vec::new()), Some(empty));
        assert_eq!(Reply::kept("{}", Vec::new()), None);
        assert_eq!(
            Reply::kept("{\"status\":7,\"headers\":[]}", Vec::new()),
            None
        );
    }
}
