//! The body of a delivery: `type`, `timestamp` and `data`, as Standard Webhooks has them.

use paceline_jobs::Timestamp;
use serde_json::value::RawValue;

/// The job's name, when it was added (RFC 3339), and its payload byte for byte.
pub(super) fn write(name: &str, created_at: Timestamp, data: &RawValue) -> String {
    let name = serde_json::to_string(name).expect("a text has a JSON form");
    let at = jiff::Timestamp::from_millisecond(created_at.as_millis()).unwrap_or_default();
    let data = data.get();
    format!(r#"{{"type":{name},"timestamp":"{at}","data":{data}}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_is_carried_byte_for_byte() {
        let data: Box<RawValue> =
            serde_json::from_str(r#"{"b" : 1.50,"a":[ ],"n":9007199254740993}"#).unwrap();
        let at = Timestamp::from_millis(1_780_000_000_250);
        assert_eq!(
            write("order \"paid\"", at, &data),
            r#"{"type":"order \"paid\"","timestamp":"2026-05-28T20:26:40.25Z","data":{"b" : 1.50,"a":[ ],"n":9007199254740993}}"#
        );
    }
}
