//! A server process: started, watched, stopped.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Outcome, http};

/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server; dropping it stops it.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// From the start of the process to its first answer.
    pub(crate) started_in: Duration,
}

/// An address on loopback that nothing listened on a moment ago.
pub(crate) fn free_address() -> Outcome<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map_err(|error| format!("no free port: {error}"))
}

impl Server {
    /// Starts `command` and waits until a GET of `path` at `address` is answered 200.
    pub(crate) fn start(command: &mut Command, address: SocketAddr, path: &str) -> Outcome<Self> {
        Self::start_when(command, address, || {
            http::get(address, path, &[]).is_ok_and(|answer| answer.status == 200)
        })
    }

    /// Starts `command` and waits until `is_ready`.
    pub(crate) fn start_when(
        command: &mut Command,
        address: SocketAddr,
        mut is_ready: impl FnMut() -> bool,
    ) -> Outcome<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let start = Instant::now();
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{name} could not be started: {error}"))?;
        let mut server = Self {
            child,
            address,
            started_in: Duration::ZERO,
        };
        while start.elapsed() < PATIENCE {
            if is_ready() {
                server.started_in = start.elapsed();
                return Ok(server);
            }
            if let Ok(Some(status)) = server.child.try_wait() {
                return Err(format!("{name} ended with {status} before it answered"));
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        Err(format!("{name} did not answer within {PATIENCE:?}"))
    }

    /// Resident memory now, in bytes.
    pub(crate) fn resident(&self) -> u64 {
        self.memory("VmRSS:")
    }

    /// The most resident memory there was, in bytes.
    pub(crate) fn peak_resident(&self) -> u64 {
        self.memory("VmHWM:")
    }

    fn memory(&self, field: &str) -> u64 {
        memory_of(self.child.id(), field)
    }
}

/// Resident memory of a process now, in bytes.
pub(crate) fn resident_of(process: u32) -> u64 {
    memory_of(process, "VmRSS:")
}

fn memory_of(process: u32, field: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kibibytes: u64 = line
        .and_then(|l| l.split_whitespace().next()?.parse().ok())
        .unwrap_or(0);
    kibibytes * 1024
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(
            Command::new("kill")
                .args(["-TERM", &self.child.id().to_string()])
                .status(),
        );
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(15) {
            if let Ok(Some(_)) = self.child.try_wait() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
