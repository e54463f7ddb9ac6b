//! What the origin answers to one path.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::{Value, json};

use super::content;

/// How long a `<pause>` between two frames lasts, in milliseconds: longer than a client is made to wait for what
/// was sent before it.
pub const PAUSE: u64 = 3_000;

/// How a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ending {
    /// Properly.
    #[default]
    Whole,
    /// The origin fails after the last frame, as when its database goes away.
    Broken,
}

/// What the origin does. By default it answers 200 with 4,096 bytes of JSON in one piece.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Behaviour {
    /// The status.
    pub status: u16,
    /// Lines of the head, `name: value`. `content-type: application/json` is there unless another is named.
    pub headers: Vec<String>,
    /// What the body is made of: `json`, `random` (does not shrink) or `empty`.
    pub body: String,
    /// How long it is, in bytes.
    pub size: usize,
    /// The body in pieces, without a `Content-Length`; the piece `<pause>` is a wait.
    pub frames: Vec<String>,
    /// How the body ends.
    pub ends: Ending,
    /// Whether the origin knows `Range` and `If-Range`.
    pub ranges: bool,
    /// Whether a change must name the version it changes: 428 otherwise, where the server under test has such a policy.
    pub required: bool,
}

/// A piece of a body, or a wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// Bytes.
    Data(Bytes),
    /// [`PAUSE`].
    Pause,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body: "json".to_owned(),
            size: 4096,
            frames: Vec::new(),
            ends: Ending::Whole,
            ranges: false,
            required: false,
        }
    }
}

impl Behaviour {
    /// Whether the body comes in pieces, its length unknown.
    pub fn is_stream(&self) -> bool {
        !self.frames.is_empty()
    }

    /// The head's fields.
    ///
    /// # Errors
    ///
    /// The line that is no header field.
    pub fn header_map(&self) -> Result<HeaderMap, String> {
        let mut headers = HeaderMap::new();
        for line in &self.headers {
            let (name, value) = line
                .split_once(':')
                .ok_or_else(|| format!("{line:?} is no header line"))?;
            let name = HeaderName::from_bytes(name.trim().as_bytes())
                .map_err(|error| format!("{line:?}: {error}"))?;
            let value = HeaderValue::from_bytes(value.trim().as_bytes())
                .map_err(|error| format!("{line:?}: {error}"))?;
            headers.append(name, value);
        }
        if !headers.contains_key("content-type") {
            let json = HeaderValue::from_static("application/json");
            headers.insert("content-type", json);
        }
        if headers["content-type"].is_empty() {
            headers.remove("content-type");
        }
        Ok(headers)
    }

    /// The body's pieces in order.
    pub fn pieces(&self) -> Vec<Frame> {
        if self.is_stream() {
            let piece = |frame: &String| match frame.as_str() {
                "<pause>" => Frame::Pause,
                text => Frame::Data(Bytes::from(text.to_owned())),
            };
            return self.frames.iter().map(piece).collect();
        }
        vec![Frame::Data(content::body(&self.body, self.size))]
    }

    /// All bytes of the body.
    pub fn whole(&self) -> Bytes {
        let mut whole = Vec::new();
        for frame in self.pieces() {
            if let Frame::Data(data) = frame {
                whole.extend_from_slice(&data);
            }
        }
        whole.into()
    }

    /// For origins that are not written in Rust: everything resolved, bodies in base64.
    ///
    /// # Errors
    ///
    /// As [`header_map`](Self::header_map).
    pub fn to_json(&self) -> Result<Value, String> {
        let headers: Vec<Value> = self
            .header_map()?
            .iter()
            .map(|(name, value)| json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())]))
            .collect();
        let frames: Vec<Value> = self
            .pieces()
            .into_iter()
            .map(|frame| match frame {
                Frame::Pause => json!({ "pause": PAUSE }),
                Frame::Data(data) => json!({ "data": STANDARD.encode(data) }),
            })
            .collect();
        Ok(json!({
            "status": self.status,
            "headers": headers,
            "stream": self.is_stream(),
            "frames": frames,
            "broken": self.ends == Ending::Broken,
            "ranges": self.ranges,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_behaviour_says_its_fields_and_bytes() {
        let behaviour = Behaviour {
            headers: vec![
                "etag: \"v\"".to_owned(),
                "x: 1".to_owned(),
                "x: 2".to_owned(),
            ],
            frames: vec!["a".to_owned(), "<pause>".to_owned(), "b".to_owned()],
            ..Behaviour::default()
        };
        let headers = behaviour.header_map().expect("valid lines");
        assert_eq!(headers.get_all("x").iter().count(), 2);
        assert_eq!(headers["content-type"], "application/json");
        assert_eq!(behaviour.whole(), "ab");
        assert_eq!(Behaviour::default().whole().len(), 4096);
        let wrong = Behaviour {
            headers: vec!["no colon".to_owned()],
            ..Behaviour::default()
        };
        assert!(wrong.header_map().is_err());
    }
}
