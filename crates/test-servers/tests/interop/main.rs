//! The doubles of vendors' servers, judged by the vendors' own clients. `cargo xtask test interop` installs those and
//! runs this: a double that is wrong fails it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use paceline_test_servers::{MariaDb, PlanetScale, PlanetScaleOptions};

/// The checks of `node/planetscale.js`.
const CHECKS: usize = 12;

#[test]
fn planetscales_client_finds_what_it_expects() {
    let server = MariaDb::shared();
    let double = PlanetScale::start(&server);
    let brief = PlanetScaleOptions {
        transaction_limit: Duration::from_secs(1),
        ..PlanetScaleOptions::default()
    };
    let brief = PlanetScale::start_with(&server, brief);
    let judge = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/node/planetscale.js");
    let said = Command::new("node")
        .arg(judge)
        .env("PLANETSCALE_URL", double.url())
        .env("PLANETSCALE_BRIEF_URL", brief.url())
        .output()
        .expect("node runs");
    let out = String::from_utf8_lossy(&said.stdout);
    let err = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "{out}{err}");
    let passed = out.lines().filter(|line| line.starts_with("ok: ")).count();
    assert_eq!(passed, CHECKS, "{out}{err}");
}
