//! A server process: started, watched, stopped.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a stop may take before it is enforced.
const GRACE: Duration = Duration::from_secs(5);

/// A running process; dropping it stops it.
#[derive(Debug)]
pub struct Process(Child);

/// An address on loopback that nothing listened on a moment ago.
///
/// # Errors
///
/// No port is free.
pub fn free_address() -> Result<SocketAddr, String> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map_err(|error| format!("no free port: {error}"))
}

impl Process {
    /// Starts `command` and waits until something listens at `address`.
    pub(super) fn start(command: &mut Command, address: SocketAddr) -> Result<Self, String> {
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{name} could not be started: {error}; `cargo xtask conformance` installs and builds the peers"))?;
        let mut process = Self(child);
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Ok(Some(status)) = process.0.try_wait() {
                return Err(format!("{name} ended with {status} before it answered"));
            }
            if start.elapsed() > PATIENCE {
                return Err(format!("{name} did not answer within {PATIENCE:?}"));
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
        Ok(process)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let pid = self.0.id().to_string();
        drop(Command::new("kill").args(["-TERM", &pid]).status());
        let start = Instant::now();
        while start.elapsed() < GRACE {
            if let Ok(Some(_)) = self.0.try_wait() {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(10));
        }
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// What a program prints, from both its outputs.
pub(super) fn said(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .map_err(|error| format!("{name} could not be started: {error}"))?;
    let both = [output.stdout, output.stderr].concat();
    Ok(String::from_utf8_lossy(&both).trim().to_owned())
}
