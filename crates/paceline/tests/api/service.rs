//! The real binary serving the shop.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_paceline");

/// A running server; dropping it ends the process.
pub(crate) struct Service {
    child: Child,
    /// `http://127.0.0.1:PORT`
    pub(crate) base: String,
    /// The API key of the member with the id 1.
    pub(crate) key: String,
    folder: TempDir,
}

impl Service {
    /// Serves the database at `url` as the `paceline.toml` in `shop` says.
    pub(crate) fn start(url: &str, shop: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (key, table) = new_key();
        let config = std::fs::read_to_string(shop.join("paceline.toml")).unwrap();
        let file = folder.path().join("paceline.toml");
        std::fs::write(&file, format!("{config}\n{table}")).unwrap();
        let mut child = Command::new(BINARY)
            .args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "off"])
            .arg("--config")
            .arg(&file)
            .env("SHOP", url)
            .env("PACELINE_LOG", "error")
            .env("PACELINE_STATE_DIR", folder.path())
            .env_remove("PACELINE_SECRET")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut lines = lines.map_while(Result::ok);
        let base = lines.find_map(|line| base_of(&line));
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            base: base.expect("the server says where it listens"),
            key,
            folder,
        }
    }

    /// A folder that goes with it.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A new key of the member with the id 1, and the table of the configuration that knows it.
fn new_key() -> (String, String) {
    let mut command = Command::new(BINARY);
    let made = command.args(["secret", "api-key", "--principal", "1"]);
    let text = String::from_utf8(made.output().unwrap().stdout).unwrap();
    let (key, table) = text.split_once("\n\n").unwrap();
    (key.to_owned(), table.to_owned())
}

/// The first address a line names, without its path.
fn base_of(line: &str) -> Option<String> {
    let address = &line[line.find("http://127.0.0.1:")?..];
    Some(address.split('/').take(3).collect::<Vec<_>>().join("/"))
}
