//! schemathesis reads the demo's OpenAPI document and tries to prove the server wrong about it.

use std::path::Path;

use super::demo::Demo;
use crate::process::Program;
use crate::server::Server;
use crate::setup;

/// Runs the demo with raised limits, and schemathesis against it.
pub(super) fn run() -> Result<(), String> {
    let demo = Demo::make(None)?;
    let server = demo.start()?;
    let tried = schemathesis(&server, demo.folder());
    let stopped = server.stop();
    tried.and(stopped)
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
