//! The vendor's driver, from npm, sends what real programs send.

use std::path::Path;
use std::process::Command;

use super::{PASSWORD, Sql, connection_string};

#[test]
fn the_vendors_driver_finds_what_it_expects() {
    let sql = Sql::start();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vendors");
    assert!(
        folder.join("node_modules").exists(),
        "these tests need npm packages in crates/paceline/tests/vendors; `cargo xtask test` installs them"
    );
    let output = Command::new("node")
        .arg(folder.join("neon.js"))
        .arg(&sql.endpoint)
        .arg(connection_string(PASSWORD))
        .arg(sql.cluster.url(&sql.database))
        .output()
        .expect("node runs");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}{failed}");
    assert!(told.ends_with("25 checks passed\n"), "{told}{failed}");
}
