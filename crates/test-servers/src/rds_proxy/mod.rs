//! A stand-in for Amazon RDS Proxy: what its documentation says of it and a pool has to live with.
//!
//! It takes TLS only and tokens only, ignores requests to cancel, closes clients that lie idle, and notes each statement
//! and which of them would have pinned a client to a server connection. Unlike the real one it has a server connection
//! for each client.

mod messages;
mod pinning;
mod token;

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tempfile::TempDir;

use crate::certificates::Authority;
use crate::postgres::Postgres;
use messages::{First, Statements};

type Client = StreamOwned<ServerConnection, TcpStream>;

/// How long one side is waited for before the other is looked at.
const TICK: Duration = Duration::from_millis(2);

/// The process id that clients are told: of no server connection.
const PROCESS: [u8; 4] = [0x7f, 0xff, 0xff, 0x00];

/// A running stand-in. It trusts whoever has a token for the name it gives.
#[derive(Debug)]
pub struct RdsProxy {
    port: u16,
    authority: PathBuf,
    shared: Arc<Shared>,
    _folder: TempDir,
}

#[derive(Debug)]
struct Shared {
    server: PathBuf,
    tls: Arc<ServerConfig>,
    idle: Duration,
    statements: Mutex<Vec<String>>,
    pinned: Mutex<Vec<String>>,
    cancels: AtomicUsize,
    clients: AtomicUsize,
    accepted: AtomicUsize,
    done: AtomicBool,
}

impl RdsProxy {
    /// One in front of `cluster`, with a certificate of `authority` for `localhost`; clients that say nothing for `idle`
    /// are closed.
    pub fn start(cluster: &Postgres, authority: &Authority, idle: Duration) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let [certificate, key] = authority.copy_to(folder.path());
        let certificates = CertificateDer::pem_file_iter(certificate).expect("PEM");
        let certificates = certificates
            .map(|one| one.expect("a certificate"))
            .collect();
        let key = PrivateKeyDer::from_pem_file(key).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider knows them")
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .expect("the key fits");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("a bound socket").port();
        let shared = Arc::new(Shared {
            server: cluster.socket(),
            tls: Arc::new(tls),
            idle,
            statements: Mutex::default(),
            pinned: Mutex::default(),
            cancels: AtomicUsize::default(),
            clients: AtomicUsize::default(),
            accepted: AtomicUsize::default(),
            done: AtomicBool::default(),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming() {
                if accepting.done.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(client) = client else { continue };
                let shared = Arc::clone(&accepting);
                // How a client ends matters to nobody.
                thread::spawn(move || shared.serve(client));
            }
        });
        Self {
            port,
            authority: authority.ca(),
            shared,
            _folder: folder,
        }
    }

    /// The address of a database through it, with tokens for passwords.
    pub fn url(&self, user: &str, database: &str) -> String {
        format!(
            "postgres://{user}@localhost:{}/{database}?auth=rds-iam&pooler=rds-proxy&ca_file={}",
            self.port,
            self.authority.display()
        )
    }

    /// The same with a password in place of tokens.
    pub fn url_with_password(&self, user: &str, password: &str, database: &str) -> String {
        format!(
            "postgres://{user}:{password}@localhost:{}/{database}?pooler=rds-proxy&ca_file={}",
            self.port,
            self.authority.display()
        )
    }

    /// Every statement that went by so far.
    pub fn statements(&self) -> Vec<String> {
        lock(&self.shared.statements).clone()
    }

    /// Those of them that pin a client.
    pub fn pinned(&self) -> Vec<String> {
        lock(&self.shared.pinned).clone()
    }

    /// Requests to cancel that came, and were ignored.
    pub fn cancels(&self) -> usize {
        self.shared.cancels.load(Ordering::SeqCst)
    }

    /// Clients connected now.
    pub fn clients(&self) -> usize {
        self.shared.clients.load(Ordering::SeqCst)
    }

    /// Clients whose token was taken so far.
    pub fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }
}

impl Drop for RdsProxy {
    fn drop(&mut self) {
        self.shared.done.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts; when nobody listens any more, it is gone already.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

impl Shared {
    fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        client.set_nodelay(true)?;
        match messages::first(&mut client)? {
            First::Cancel => {
                self.cancels.fetch_add(1, Ordering::SeqCst);
                return Ok(());
            }
            First::Start(_) => {
                let message = "This RDS Proxy requires TLS connections";
                return messages::refuse(&mut client, "28000", message);
            }
            First::Tls => client.write_all(b"S")?,
        }
        let tls = ServerConnection::new(Arc::clone(&self.tls)).map_err(io::Error::other)?;
        let mut client = StreamOwned::new(tls, client);
        let start = match messages::first(&mut client)? {
            First::Start(start) => start,
            First::Cancel => {
                self.cancels.fetch_add(1, Ordering::SeqCst);
                return Ok(());
            }
            First::Tls => return Err(io::ErrorKind::InvalidData.into()),
        };
        let user = messages::parameter(&start, "user").unwrap_or_default();
        // The password in plain text, please.
        messages::write(&mut client, b'R', &3_u32.to_be_bytes())?;
        let (_, password) = messages::read(&mut client)?;
        let password = String::from_utf8_lossy(&password);
        if let Some(problem) =
            token::problem(password.trim_end_matches('\0'), &user, SystemTime::now())
        {
            return messages::refuse(&mut client, "28P01", problem);
        }
        self.accepted.fetch_add(1, Ordering::SeqCst);
        self.clients.fetch_add(1, Ordering::SeqCst);
        let ended = self.connect(client, &start);
        self.clients.fetch_sub(1, Ordering::SeqCst);
        ended
    }

    fn connect(&self, mut client: Client, start: &[u8]) -> io::Result<()> {
        let mut server = UnixStream::connect(&self.server)?;
        server.write_all(start)?;
        loop {
            let (kind, mut body) = messages::read(&mut server)?;
            if kind == b'K' {
                body[..4].copy_from_slice(&PROCESS);
            }
            messages::write(&mut client, kind, &body)?;
            match kind {
                b'Z' => return self.pass_on(client, server),
                b'E' => return Ok(()),
                _ => {}
            }
        }
    }

    /// Until one side closes, the client lies idle for too long, or the proxy ends.
    fn pass_on(&self, mut client: Client, mut server: UnixStream) -> io::Result<()> {
        client.sock.set_read_timeout(Some(TICK))?;
        server.set_read_timeout(Some(TICK))?;
        let mut buffer = vec![0; 64 * 1024];
        let mut statements = Statements::default();
        let mut last = Instant::now();
        while !self.done.load(Ordering::SeqCst) && last.elapsed() < self.idle {
            match client.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(length) => {
                    last = Instant::now();
                    for statement in statements.take(&buffer[..length]) {
                        self.note(statement);
                    }
                    server.write_all(&buffer[..length])?;
                }
                Err(error) if is_pause(&error) => {}
                Err(error) => return Err(error),
            }
            match server.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(length) => {
                    last = Instant::now();
                    client.write_all(&buffer[..length])?;
                    client.flush()?;
                }
                Err(error) if is_pause(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn note(&self, statement: messages::Statement) {
        if statement.named || pinning::pins(&statement.text) {
            lock(&self.pinned).push(statement.text.clone());
        }
        lock(&self.statements).push(statement.text);
    }
}

fn is_pause(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
