//! Starts the real binary on free ports in a temporary folder and stops it afterwards.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::thread::JoinHandle;

use tempfile::TempDir;

use crate::client::{self, Answer};

/// The binary under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_paceline");

/// A running server; dropping it ends the process.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    output: Option<JoinHandle<String>>,
    /// `http://127.0.0.1:PORT`
    pub(crate) base: String,
    /// The same of the admin listener.
    pub(crate) admin: String,
    /// Where its files are.
    pub(crate) dir: PathBuf,
    _folder: Option<TempDir>,
}

impl Server {
    /// A demo of its own, with these arguments besides.
    pub(crate) fn demo(arguments: &[&str]) -> Self {
        let folder = copy_of_the_shop();
        Self::demo_in(folder.path().to_owned(), Some(folder), arguments)
    }

    /// A demo on a folder that outlives it.
    pub(crate) fn demo_in(dir: PathBuf, folder: Option<TempDir>, arguments: &[&str]) -> Self {
        let mut command = Command::new(BINARY);
        command.arg("demo").arg("--dir").arg(&dir).args(arguments);
        Self::start(command, dir, folder)
    }

    /// `paceline serve` with a configuration written beside the files of a folder.
    pub(crate) fn serve(config: &str, folder: TempDir) -> Self {
        let dir = folder.path().to_owned();
        std::fs::write(dir.join("paceline.toml"), config).unwrap();
        Self::serve_folder(dir, Some(folder))
    }

    /// `paceline serve` with the `paceline.toml` of a folder.
    pub(crate) fn serve_folder(dir: PathBuf, folder: Option<TempDir>) -> Self {
        let mut command = Command::new(BINARY);
        command
            .arg("serve")
            .arg("--config")
            .arg(dir.join("paceline.toml"));
        Self::start(command, dir, folder)
    }

    /// `paceline serve URL`.
    pub(crate) fn serve_url(url: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        Self::serve_url_in(url, &state, Some(folder))
    }

    /// The same with a state folder that outlives it.
    pub(crate) fn serve_url_with_state(url: &str, state: &Path) -> Self {
        Self::serve_url_in(url, state, None)
    }

    fn serve_url_in(url: &str, state: &Path, folder: Option<TempDir>) -> Self {
        let mut command = Command::new(BINARY);
        command.arg("serve").arg(url);
        Self::start_with_state(command, state.to_owned(), folder, state)
    }

    fn start(command: Command, dir: PathBuf, folder: Option<TempDir>) -> Self {
        let state = dir.join("state-of-the-user");
        Self::start_with_state(command, dir, folder, &state)
    }

    fn start_with_state(
        mut command: Command,
        dir: PathBuf,
        folder: Option<TempDir>,
        state: &Path,
    ) -> Self {
        command.args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
        command
            .env("PACELINE_LOG", "warn")
            .env("PACELINE_STATE_DIR", state)
            .env_remove("PACELINE_SECRET")
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut seen = String::new();
        let mut bound = Vec::new();
        while bound.len() < 2 {
            let Some(Ok(line)) = lines.next() else {
                panic!("the server ended: {seen}")
            };
            seen.push_str(&line);
            seen.push('\n');
            bound.extend(base_of(&line).filter(|base| !bound.contains(base)));
        }
        let admin = bound.pop().expect("two were read");
        let base = bound.pop().expect("two were read");
        let output = std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                seen.push_str(&line);
                seen.push('\n');
            }
            seen
        });
        Self {
            child,
            output: Some(output),
            base,
            admin,
            dir,
            _folder: folder,
        }
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], None)
    }

    #[track_caller]
    pub(crate) fn get_with(&self, path: &str, headers: &[&str]) -> Answer {
        self.send("GET", path, headers, None)
    }

    /// Sends a JSON body.
    #[track_caller]
    pub(crate) fn send_json(
        &self,
        method: &str,
        path: &str,
        headers: &[&str],
        body: &str,
    ) -> Answer {
        let headers: Vec<&str> = headers
            .iter()
            .copied()
            .chain(["Content-Type: application/json"])
            .collect();
        self.send(method, path, &headers, Some(body.as_bytes()))
    }

    #[track_caller]
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[&str],
        body: Option<&[u8]>,
    ) -> Answer {
        client::send(method, &format!("{}{path}", self.base), headers, body)
    }

    /// A number on the metrics page of the admin listener.
    #[track_caller]
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let page = client::send("GET", &format!("{}/metrics", self.admin), &[], None).text();
        let line = page
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap_or_else(|| panic!("no {name} in {page}"));
        line.rsplit_once(' ')
            .expect("name and number")
            .1
            .parse()
            .expect("a whole number")
    }

    /// The server's process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        let status = Command::new("kill")
            .args(["-TERM", &self.id().to_string()])
            .status();
        assert!(status.expect("kill runs").success());
    }

    /// Waits for the end; returns the status and everything printed to standard output.
    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().expect("it was started");
        let output = self
            .output
            .take()
            .expect("taken once")
            .join()
            .expect("the reader does not panic");
        (status, output)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first address a line names, as the base of URLs.
fn base_of(line: &str) -> Option<String> {
    let start = line.find("http://127.0.0.1:")?;
    let rest = &line[start + "http://127.0.0.1:".len()..];
    let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
    (!port.is_empty()).then(|| format!("http://127.0.0.1:{port}"))
}

/// One demo that all reading tests share; it ends when the last of them does.
pub(crate) fn shared_demo() -> Arc<Server> {
    static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap();
    if let Some(server) = shared.upgrade() {
        return server;
    }
    let server = Arc::new(Server::demo(&[]));
    *shared = Arc::downgrade(&server);
    server
}

/// A new folder with the demo's files: created once by the binary itself, then copied.
pub(crate) fn copy_of_the_shop() -> TempDir {
    static ORIGINAL: OnceLock<TempDir> = OnceLock::new();
    let original = ORIGINAL.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::demo_in(folder.path().to_owned(), None, &[]);
        server.terminate();
        let (status, output) = server.wait();
        assert!(status.success(), "{output}");
        folder
    });
    let copy = tempfile::tempdir().unwrap();
    copy_folder(original.path(), copy.path());
    copy
}

fn copy_folder(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
}
