//! The demo as a service under test: its data in a folder of its own, its limits out of the way.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::process::{Program, cargo};
use crate::server::{Server, free_address};
use crate::workspace;

/// The binary, the demo's data and a configuration beside it.
pub(super) struct Demo {
    /// The binary under test.
    pub(super) binary: PathBuf,
    /// What to serve.
    pub(super) configuration: PathBuf,
    folder: TempDir,
}

impl Demo {
    /// Builds the workspace's binaries and lets one make the data. `outside` is a host that is answered besides the
    /// usual ones.
    pub(super) fn make(outside: Option<&str>) -> Result<Self, String> {
        cargo(&["build", "--workspace", "--bins", "--quiet"]).run()?;
        let binary = workspace::target().join("debug/paceline");
        let folder =
            tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
        create_shop(&binary, folder.path())?;
        let configuration = configure(&binary, folder.path(), outside)?;
        Ok(Self {
            binary,
            configuration,
            folder,
        })
    }

    /// Where its files are.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Serves it.
    pub(super) fn start(&self) -> Result<Server, String> {
        let address = free_address()?;
        let configuration = self.configuration.to_string_lossy();
        let listen = address.to_string();
        let arguments = ["serve", "--config", &configuration, "--listen", &listen];
        Server::start(&self.binary, &arguments, self.folder(), address)
    }
}

/// Lets the demo make its data in `folder`.
fn create_shop(binary: &Path, folder: &Path) -> Result<(), String> {
    let address = free_address()?;
    let shop = folder.join("shop");
    let (shop, listen) = (shop.to_string_lossy(), address.to_string());
    let arguments = [
        "demo",
        "--dir",
        &shop,
        "--listen",
        &listen,
        "--admin-listen",
        "off",
    ];
    Server::start(binary, &arguments, folder, address)?.stop()
}

/// The demo's configuration with limits that do not get in the way, beside its data.
fn configure(binary: &Path, folder: &Path, outside: Option<&str>) -> Result<PathBuf, String> {
    let text = Program::new(binary)
        .arguments(&["demo", "--print-config"])
        .output()?;
    let path = folder.join("shop").join("tested.toml");
    let written = std::fs::write(&path, opened(&text, outside));
    written.map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}

/// Puts every limit out of reach, answers the host `outside` too, and leaves the admin listener out, whose port may be
/// taken.
fn opened(configuration: &str, outside: Option<&str>) -> String {
    let raised = configuration
        .lines()
        .map(|line| match line.split_once('=') {
            Some((key, _)) if key.trim() == "max" => "max = 100000000".to_owned(),
            Some((key, _)) if key.trim() == "admin_listen" => "admin_listen = \"off\"".to_owned(),
            Some((key, hosts)) if key.trim() == "allowed_hosts" => match outside {
                Some(outside) => format!(
                    "allowed_hosts = {}",
                    hosts.trim().replacen('[', &format!("[\"{outside}\", "), 1)
                ),
                None => line.to_owned(),
            },
            _ => line.to_owned(),
        });
    raised.collect::<Vec<_>>().join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_raised_and_the_rest_stays() {
        let text = "[server]\nadmin_listen = \"127.0.0.1:8081\" # x\nallowed_hosts = [\"a\"] # b\n[[limits]]\nmax = 5\nmax_body = \"1MiB\"\n";
        let check = |outside, hosts: &str| {
            let expected = format!(
                "[server]\nadmin_listen = \"off\"\nallowed_hosts = {hosts} # b\n[[limits]]\nmax = 100000000\nmax_body = \"1MiB\"\n"
            );
            assert_eq!(opened(text, outside), expected);
        };
        check(None, "[\"a\"]");
        check(Some("b.example"), "[\"b.example\", \"a\"]");
    }
}
