//! 200 bytes of JSON.

use serde::{Deserialize, Serialize};

const BYTES: usize = 200;

/// What every job carries.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Payload {
    payload: String,
}

impl Payload {
    pub(super) fn new() -> Self {
        Self {
            payload: "x".repeat(BYTES - r#"{"payload":""}"#.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_200_bytes() {
        let text = serde_json::to_string(&Payload::new()).expect("a text field");
        assert_eq!(text.len(), BYTES);
    }
}
