//! `PlanetScale`'s HTTP interface over a real `MariaDB`.
//!
//! What the vendor runs cannot be run here, so this is a double: it speaks the protocol that the vendor's own client
//! for JavaScript speaks, and that client is its judge (`tests/interop`). Statements are executed by a real server.
//! What it does as the vendor does: Basic authentication, sessions that must come back as they were handed out,
//! transactions that end after 20 s, answers of 100,000 rows at most, one statement a request, the forms of errors.
//! What it cannot show: sharding, and where Vitess reads SQL differently from the server behind it.

mod encode;
mod execute;
mod fault;
mod refusal;
mod service;
mod session;
mod text;
mod vendor_type;

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use crate::certificates::Authority;
use crate::mariadb::MariaDb;
pub use fault::Fault;
pub use service::Asked;
use service::Service;

/// What of the vendor's limits holds, and how sessions begin.
#[derive(Debug, Clone)]
pub struct PlanetScaleOptions {
    /// How long a transaction may be open.
    pub transaction_limit: Duration,
    /// The most rows of one answer.
    pub row_limit: usize,
    /// The database it serves; `None` for a new one.
    pub database: Option<String>,
    /// Statements each session begins with.
    pub setup: Vec<String>,
    /// What `VERSION()` is, as Vitess answers it; `None` for that of the server, which is a `MariaDB`. Clients speak
    /// MySQL's SQL to a MySQL.
    pub version: Option<String>,
}

impl Default for PlanetScaleOptions {
    fn default() -> Self {
        Self {
            transaction_limit: Duration::from_secs(20),
            row_limit: 100_000,
            database: None,
            setup: Vec::new(),
            version: None,
        }
    }
}

/// A running double. It serves one database of its server.
#[derive(Debug)]
pub struct PlanetScale {
    port: u16,
    database: String,
    service: Arc<Service>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    server: Arc<MariaDb>,
}

impl PlanetScale {
    /// The user it knows.
    pub const USER: &str = "psuser";
    /// The user's password. No character of it is escaped in addresses: the vendor's client does not decode them.
    pub const PASSWORD: &str = "pscale_pw_a-tests-password";

    /// Over a new database of that server.
    pub fn start(server: &Arc<MariaDb>) -> Self {
        Self::start_with(server, PlanetScaleOptions::default())
    }

    /// The same with other limits.
    pub fn start_with(server: &Arc<MariaDb>, options: PlanetScaleOptions) -> Self {
        Self::begin(server, options, None)
    }

    /// The same over TLS: the certificate of `authority` is for `localhost`.
    pub fn start_with_tls(server: &Arc<MariaDb>, authority: &Authority) -> Self {
        let acceptor = acceptor(authority);
        Self::begin(server, PlanetScaleOptions::default(), Some(acceptor))
    }

    /// Where it listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The database behind it.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The address as the vendor's client for JavaScript has it.
    pub fn url(&self) -> String {
        let (user, password) = (Self::USER, Self::PASSWORD);
        format!("http://{user}:{password}@127.0.0.1:{}", self.port)
    }

    /// The address as Paceline has it.
    pub fn address(&self) -> String {
        let (user, password) = (Self::USER, Self::PASSWORD);
        format!(
            "planetscale://{user}:{password}@127.0.0.1:{}/{}",
            self.port, self.database
        )
    }

    /// Runs statements on the database behind it; gives the rows, fields separated by tabs.
    pub fn sql(&self, statements: &str) -> String {
        self.server.sql(&self.database, statements)
    }

    /// Lets the next request that has no fault yet go wrong.
    pub fn fault(&self, fault: Fault) {
        self.service.faults.push(fault);
    }

    /// The requests so far that were let in, the oldest first.
    pub fn asked(&self) -> Vec<Asked> {
        held(&self.service.asked).clone()
    }

    /// How many sessions hold a transaction open.
    pub fn open_transactions(&self) -> usize {
        self.service.sessions.open_transactions()
    }

    fn begin(
        server: &Arc<MariaDb>,
        options: PlanetScaleOptions,
        acceptor: Option<TlsAcceptor>,
    ) -> Self {
        let database = options.database.clone();
        let database = database.unwrap_or_else(|| server.database());
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        listener.set_nonblocking(true).expect("a socket takes this");
        let port = listener.local_addr().expect("a bound socket").port();
        let service = Arc::new(Service::new(&server.url(&database), &database, options));
        let (stop, stopped) = oneshot::channel();
        let serving = Arc::clone(&service);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).expect("a listener");
                tokio::select! {
                    () = accept(listener, acceptor, serving) => {}
                    _ = stopped => {}
                }
            });
        });
        Self {
            port,
            database,
            service,
            stop: Some(stop),
            thread: Some(thread),
            server: Arc::clone(server),
        }
    }
}

impl Drop for PlanetScale {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // When it panicked, the tests have seen that.
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener, acceptor: Option<TlsAcceptor>, service: Arc<Service>) {
    while let Ok((stream, _)) = listener.accept().await {
        let service = Arc::clone(&service);
        match acceptor.clone() {
            None => drop(tokio::spawn(serve(stream, service))),
            Some(acceptor) => drop(tokio::spawn(async move {
                // A client that does not trust us goes away.
                if let Ok(stream) = acceptor.accept(stream).await {
                    serve(stream, service).await;
                }
            })),
        }
    }
}

async fn serve<S>(stream: S, service: Arc<Service>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let answer = service_fn(move |request| {
        let service = Arc::clone(&service);
        async move { service.answer(request).await }
    });
    // It ends when the client goes, or a fault ends it.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), answer)
        .await;
}

fn acceptor(authority: &Authority) -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_file(authority.file("server.pem")).expect("a PEM");
    let key = PrivateKeyDer::from_pem_file(authority.file("server.key")).expect("a PEM");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the versions of the library")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a certificate and its key");
    TlsAcceptor::from(Arc::new(config))
}

/// What a lock holds, also after a panic of whoever held it.
fn held<T>(lock: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
