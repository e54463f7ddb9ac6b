//! The product's binary as a running server: started on a free port in a folder of its own, stopped by SIGTERM.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::process::Program;

/// How long a start or a stop may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server that is ready to answer. Dropping it without [`Server::stop`] kills it.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

/// An address on loopback that nothing listened on a moment ago.
pub(crate) fn free_address() -> Result<SocketAddr, String> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map_err(|error| format!("no free port: {error}"))
}

impl Server {
    /// Starts `program` with `arguments` in `folder` and waits until `address` says it is ready.
    ///
    /// What it prints goes to `server.log` in `folder`.
    pub(crate) fn start(
        program: &Path,
        arguments: &[&str],
        folder: &Path,
        address: SocketAddr,
    ) -> Result<Self, String> {
        Self::start_asking(program, arguments, folder, (address, "/health/ready"))
    }

    /// The same for a program that is ready when it answers another path with 200.
    pub(crate) fn start_asking(
        program: &Path,
        arguments: &[&str],
        folder: &Path,
        (address, path): (SocketAddr, &str),
    ) -> Result<Self, String> {
        let log = folder.join("server.log");
        let output = File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        let errors = output.try_clone().map_err(|error| error.to_string())?;
        let child = Command::new(program)
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .map_err(|error| format!("{} could not be started: {error}", program.display()))?;
        let mut server = Self { child, address };
        server.wait_until_ready(path).map_err(|problem| {
            let printed = std::fs::read_to_string(&log).unwrap_or_default();
            format!("{problem}; it printed:\n{printed}")
        })?;
        Ok(server)
    }

    fn wait_until_ready(&mut self, path: &str) -> Result<(), String> {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if self.status_of(path) == Some(200) {
                return Ok(());
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!(
                    "the server ended with {status} before it was ready"
                ));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(format!("the server was not ready within {PATIENCE:?}"))
    }

    /// The status that a GET of `path` is answered with.
    fn status_of(&self, path: &str) -> Option<u16> {
        let mut stream = TcpStream::connect_timeout(&self.address, Duration::from_secs(1)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.address
        )
        .ok()?;
        let mut head = [0; 12];
        stream.read_exact(&mut head).ok()?;
        std::str::from_utf8(&head)
            .ok()?
            .split(' ')
            .nth(1)?
            .parse()
            .ok()
    }

    /// Asks it to stop and waits until it has; a server that ends badly is an error.
    pub(crate) fn stop(mut self) -> Result<(), String> {
        let id = self.child.id().to_string();
        Program::new("kill").arguments(&["-TERM", &id]).output()?;
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            match self.child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => {
                    return Err(format!("the server ended with {status} when asked to stop"));
                }
                Ok(None) => std::thread::sleep(Duration::from_millis(20)),
                Err(error) => return Err(error.to_string()),
            }
        }
        Err(format!("the server did not stop within {PATIENCE:?}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already gone after `stop`; then both do nothing.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
