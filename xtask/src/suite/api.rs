//! schemathesis reads the demo's OpenAPI document and tries to prove the server wrong about it.

use std::path::{Path, PathBuf};

use crate::process::{Program, cargo};
use crate::server::{Server, free_address};
use crate::{setup, workspace};

/// Runs the demo with raised limits, and schemathesis against it.
pub(super) fn run() -> Result<(), String> {
    cargo(&["build", "--workspace", "--bins", "--quiet"]).run()?;
    let binary = workspace::target().join("debug/paceline");
    let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    create_shop(&binary, folder.path())?;
    let address = free_address()?;
    let configuration = configure(&binary, folder.path())?;
    let configuration = configuration.to_string_lossy();
    let listen = address.to_string();
    let arguments = ["serve", "--config", &configuration, "--listen", &listen];
    let server = Server::start(&binary, &arguments, folder.path(), address)?;
    let tried = schemathesis(&server, folder.path());
    let stopped = server.stop();
    tried.and(stopped)
}

/// Lets the demo make its data in `folder`.
fn create_shop(binary: &Path, folder: &Path) -> Result<(), String> {
    let address = free_address()?;
    let shop = folder.join("shop");
    let (shop, listen) = (shop.to_string_lossy(), address.to_string());
    Server::start(
        binary,
        &["demo", "--dir", &shop, "--listen", &listen],
        folder,
        address,
    )?
    .stop()
}

/// The demo's configuration with limits that do not get in the way, beside its data.
fn configure(binary: &Path, folder: &Path) -> Result<PathBuf, String> {
    let text = Program::new(binary)
        .arguments(&["demo", "--print-config"])
        .output()?;
    let path = folder.join("shop").join("tested.toml");
    let written = std::fs::write(&path, raise_limits(&text));
    written.map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}

/// Puts every limit out of reach and leaves the admin listener out, whose port may be taken.
fn raise_limits(configuration: &str) -> String {
    let raised = configuration
        .lines()
        .map(|line| match line.split_once('=') {
            Some((key, _)) if key.trim() == "max" => "max = 100000000".to_owned(),
            Some((key, _)) if key.trim() == "admin_listen" => "admin_listen = \"off\"".to_owned(),
            _ => line.to_owned(),
        });
    raised.collect::<Vec<_>>().join("\n") + "\n"
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_raised_and_the_rest_stays() {
        let text = "[server]\nadmin_listen = \"127.0.0.1:8081\" # x\n[[limits]]\nmax = 5\nmax_body = \"1MiB\"\n";
        let expected =
            "[server]\nadmin_listen = \"off\"\n[[limits]]\nmax = 100000000\nmax_body = \"1MiB\"\n";
        assert_eq!(raise_limits(text), expected);
    }
}
