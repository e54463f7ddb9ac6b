//! The npm packages that keep functions warm, for what they really send.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::emulator::ask;
use crate::rie::Rie;

/// What the packages hand to the AWS SDK, caught in its place.
fn payloads() -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/emulators/node/payloads.js");
    let output = Command::new("node").arg(&script).output();
    let output = output.expect("these tests need node: `cargo xtask test lambda` installs it");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("a list")
}

#[test]
fn trap_08_what_npm_warmers_send_is_a_warm_up() {
    let payloads = payloads();
    let of = |key: &str| {
        payloads
            .iter()
            .filter(|payload| payload.get(key).is_some())
            .count()
    };
    // Both were caught: two copies of the one, the payload of the other.
    assert_eq!(
        (of("__WARMER_INVOCATION__"), of("source")),
        (2, 1),
        "{payloads:?}"
    );
    let rie = Rie::start(&[]);
    for payload in payloads {
        assert_eq!(
            ask(rie.port, &payload),
            json!({"statusCode": 200, "body": "warm"}),
            "{payload}"
        );
    }
}
