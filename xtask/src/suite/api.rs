//! schemathesis reads OpenAPI documents and tries to prove their servers wrong: that of the demo, and those of a shop on
//! `PostgreSQL` and on `MariaDB` (`tests/api` of the binary's crate).

use std::path::Path;

use super::cargo_tests;
use super::demo::Demo;
use crate::process::Program;
use crate::server::Server;
use crate::setup;

/// schemathesis against the demo with raised limits, then against the shops.
pub(super) fn run() -> Result<(), String> {
    let demo = Demo::make(None)?;
    let server = demo.start()?;
    let tried = schemathesis(&server, demo.folder());
    let stopped = server.stop();
    tried.and(stopped).and_then(|()| cargo_tests::api())
}

/// Every check but `positive_data_acceptance`: a schema cannot say all that makes a request wrong, such as a cursor
/// that was not made here. The live stream never ends and is left out.
fn schemathesis(server: &Server, folder: &Path) -> Result<(), String> {
    let document = format!("http://{}/openapi.json", server.address);
    Program::new(setup::python_program("schemathesis"))
        .arguments(&["run", &document])
        .arguments(&[
            "--checks",
            "all",
            "--exclude-checks",
            "positive_data_acceptance",
        ])
        .arguments(&["--exclude-path", "/api/stream"])
        .arguments(&["--max-examples", "25", "--seed", "2026"])
        .arguments(&["--generation-database", "none", "--no-color"])
        .folder(folder)
        .run()
}
