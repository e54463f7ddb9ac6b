//! Starting an emulator and asking it.

use std::io::{Read, Seek, SeekFrom};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long an emulator gets to listen.
const START: Duration = Duration::from_secs(20);

/// A program that `cargo xtask test lambda` installs.
pub(crate) fn installed(variable: &str) -> PathBuf {
    let path = std::env::var_os(variable).map(PathBuf::from);
    let path = path.filter(|path| path.exists());
    path.unwrap_or_else(|| {
        panic!("{variable} names nothing: `cargo xtask test lambda` installs it and sets this")
    })
}

/// This program.
pub(crate) fn function() -> PathBuf {
    std::env::current_exe().expect("a running program has a path")
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("a bound socket").port()
}

/// A program that runs until this is dropped, and what it writes.
pub(crate) struct Running {
    child: Child,
    log: std::fs::File,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let log = tempfile::tempfile().expect("a temporary file");
        let other = || Stdio::from(log.try_clone().expect("a second handle"));
        // A panic of the function's is meant; where it came from is not asked.
        let command = command.env("RUST_BACKTRACE", "0").stdin(Stdio::null());
        let child = command.stdout(other()).stderr(other()).spawn();
        let child =
            child.unwrap_or_else(|error| panic!("{}: {error}", command.get_program().display()));
        Self { child, log }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote until now.
    pub(crate) fn log(&mut self) -> String {
        let mut text = String::new();
        self.log.seek(SeekFrom::Start(0)).expect("a file");
        self.log.read_to_string(&mut text).expect("text");
        text
    }

    /// Waits until somebody listens on the port.
    pub(crate) fn listens_on(&mut self, port: u16) {
        let until = Instant::now() + START;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            let has_ended = self.child.try_wait().expect("a child").is_some();
            assert!(
                !has_ended && Instant::now() < until,
                "it does not listen: {}",
                self.log()
            );
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // What it started ends with it, so it is asked first.
        terminate(self.child.id());
        if !holds_within(Duration::from_secs(5), || {
            self.child.try_wait().is_ok_and(|ended| ended.is_some())
        }) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// Sends SIGTERM.
pub(crate) fn terminate(process: u32) {
    let _ = Command::new("kill")
        .arg(process.to_string())
        .stderr(Stdio::null())
        .status();
}

/// Whether it becomes true in time.
pub(crate) fn holds_within(time: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let until = Instant::now() + time;
    loop {
        if holds() {
            return true;
        }
        if Instant::now() >= until {
            return false;
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// A request of an HTTP API.
pub(crate) fn get(path: &str) -> Value {
    json!({
        "version": "2.0", "rawPath": path, "rawQueryString": "", "headers": {"host": "api.example"},
        "requestContext": {"stage": "$default", "http": {"method": "GET", "sourceIp": "192.0.2.1"}}
    })
}

/// What comes of invoking the function of the emulator on this port.
pub(crate) fn invoke(port: u16, event: &Value) -> String {
    let url = format!("http://127.0.0.1:{port}/2015-03-31/functions/function/invocations");
    let mut answer = agent()
        .post(url)
        .send(event.to_string())
        .expect("an answer");
    answer.body_mut().read_to_string().expect("text")
}

/// The same as JSON.
pub(crate) fn ask(port: u16, event: &Value) -> Value {
    let text = invoke(port, event);
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}"))
}

/// A client that takes every status for an answer.
pub(crate) fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(30)));
    config.build().into()
}
