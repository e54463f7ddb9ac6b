//! What the peers in Rust answer: read from the file that `paceline-conformance behaviours` prints. Both peers include
//! this file; it knows no framework.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;
use serde_json::Value;

/// A piece of a body, or a wait.
#[derive(Clone)]
pub enum Frame {
    Data(Bytes),
    Pause(Duration),
}

/// What is answered to one path.
pub struct Behaviour {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub frames: Vec<Frame>,
    pub is_stream: bool,
    pub is_broken: bool,
    has_ranges: bool,
}

/// All of it, and what was acted on.
pub struct Script {
    behaviours: HashMap<String, Behaviour>,
    writes: Mutex<HashMap<String, u64>>,
}

impl Script {
    pub fn read(path: &str) -> Self {
        let text = std::fs::read_to_string(path).expect("the behaviours can be read");
        let all: HashMap<String, Value> = serde_json::from_str(&text).expect("JSON");
        Self {
            behaviours: all.into_iter().map(|(name, value)| (name, behaviour(&value))).collect(),
            writes: Mutex::default(),
        }
    }

    pub fn find(&self, name: &str) -> Option<&Behaviour> {
        self.behaviours.get(name)
    }

    pub fn act(&self, mark: &str) {
        *self.writes.lock().expect("no panic").entry(mark.to_owned()).or_default() += 1;
    }

    pub fn writes_of(&self, mark: &str) -> u64 {
        self.writes.lock().expect("no panic").get(mark).copied().unwrap_or_default()
    }
}

impl Behaviour {
    /// All bytes of a body in one piece.
    pub fn whole(&self) -> Bytes {
        match &self.frames[..] {
            [Frame::Data(data)] => data.clone(),
            _ => Bytes::new(),
        }
    }

    /// The part that is asked for with its `Content-Range`, as a handler with files would do it.
    pub fn part(&self, range: Option<&str>, condition: Option<&str>) -> Option<(Bytes, String)> {
        let etag = self.headers.iter().find(|(name, _)| name == "etag").map(|(_, value)| value.as_str());
        if !self.has_ranges || condition.is_some_and(|condition| Some(condition) != etag) {
            return None;
        }
        let (first, last) = range?.strip_prefix("bytes=")?.split_once('-')?;
        let whole = self.whole();
        let first: usize = first.parse().ok()?;
        let last = last.parse().unwrap_or(usize::MAX).min(whole.len() - 1);
        Some((whole.slice(first..=last), format!("bytes {first}-{last}/{}", whole.len())))
    }
}

fn behaviour(value: &Value) -> Behaviour {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |name: &str| value[name].as_array().cloned().unwrap_or_default();
    let frame = |value: &Value| match value["pause"].as_u64() {
        Some(pause) => Frame::Pause(Duration::from_millis(pause)),
        None => {
            let data = base64::engine::general_purpose::STANDARD.decode(text(&value["data"]));
            Frame::Data(data.expect("base64").into())
        }
    };
    Behaviour {
        status: value["status"].as_u64().and_then(|status| status.try_into().ok()).unwrap_or(200),
        headers: list("headers").iter().map(|line| (text(&line[0]), text(&line[1]))).collect(),
        frames: list("frames").iter().map(frame).collect(),
        is_stream: value["stream"] == true,
        is_broken: value["broken"] == true,
        has_ranges: value["ranges"] == true,
    }
}
