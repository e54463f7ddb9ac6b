//! Opens connections to the servers of an address, for a pool.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::sync::{Arc, OnceLock, PoisonError};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::config::{ChannelBinding, SslMode};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Connection, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_util::either::Either;

use super::address::{Address, Encryption, Host};
use super::cancel;
use super::common::{Common, Keep, Kept};
use super::connection::PostgresConnection;
use super::ear::{HearInside, Heard, Overheard};
use super::endpoint::Endpoint;
use super::error::ConnectError;
use super::iam::{self, Authentication, CredentialSource};
use super::probe::Probe;
use super::socket::{self, Socket};
use super::tls::{self, TlsSetUpError};
use crate::pool::Manage;

/// The server's own idea of which process a connection belongs to. Behind a pooler it is not the one that the pooler
/// told when the connection began.
pub(super) const PROCESS: &str = "SELECT pg_catalog.pg_backend_pid()";

/// What the driver runs a connection on: plain, or encrypted. In both the stream is also ours.
pub(super) type Plain = Connection<Overheard<Common>, tokio_postgres::tls::NoTlsStream>;
pub(super) type Encrypted = Connection<Socket, Overheard<Common>>;

/// Opens, checks and closes connections to the servers of an [`Address`].
#[derive(Clone)]
pub struct PostgresManager {
    inner: Arc<Inner>,
}

struct Inner {
    address: Address,
    config: Config,
    tls: Option<MakeRustlsConnect>,
    /// What tokens are signed with, where the password is one.
    credentials: CredentialSource,
    /// What the connections lead to, once it is known.
    endpoint: OnceLock<Endpoint>,
}

impl PostgresManager {
    /// For the servers of `address`. Nothing is connected to yet; files of certificates are read.
    ///
    /// An address whose connections are encrypted without looking at certificates leaves a warning in the log.
    ///
    /// # Errors
    /// When the certificates cannot be used, or named statements were asked for behind something that is said to
    /// mix them up.
    pub fn new(address: Address) -> Result<Self, ManagerError> {
        Self::with_credentials(address, CredentialSource::environment())
    }

    /// The same, with other credentials than those of the environment; they matter only for
    /// [`Authentication::RdsIam`].
    ///
    /// # Errors
    /// Those of [`PostgresManager::new`].
    pub fn with_credentials(
        address: Address,
        credentials: CredentialSource,
    ) -> Result<Self, ManagerError> {
        let tls = tls::connector(&address.encryption)?;
        if address.encryption == Encryption::Unverified {
            tracing::warn!(
                server = %address,
                "insecure=true: anybody between this program and the database can read and change everything; \
                 name the certificate of its authority in ca_file instead"
            );
        }
        let endpoint = OnceLock::new();
        if let Some(known) = known_endpoint(&address) {
            known.statements_for(address.statements)?;
            // It was empty.
            let _ = endpoint.set(known);
        }
        Ok(Self {
            inner: Arc::new(Inner {
                config: config(&address),
                address,
                tls,
                credentials,
                endpoint,
            }),
        })
    }

    /// Where its connections go.
    pub fn address(&self) -> &Address {
        &self.inner.address
    }

    /// What its connections lead to: what was said, what the host's name says, or what the first connection showed.
    /// Nothing before that.
    pub fn endpoint(&self) -> Option<Endpoint> {
        self.inner.endpoint.get().copied()
    }

    /// Asks the server to stop what runs on a connection, and waits until the request is through, for a second at
    /// most. The server does not say whether it stopped something.
    ///
    /// # Errors
    /// When the server cannot be reached for it.
    pub async fn cancel(&self, connection: &PostgresConnection) -> Result<(), ConnectError> {
        cancel::send(self, connection.host(), connection.cancel_token()).await
    }

    /// A connection of its own, beside any pool: the driver's two halves. For those who must hear what the server
    /// says by itself.
    ///
    /// # Errors
    /// When no host of the address can be connected to by `deadline`.
    pub(super) async fn open(&self, deadline: Instant) -> Result<Opened, ConnectError> {
        let mut last = None;
        for host in &self.inner.address.hosts {
            match self.open_at(host, deadline).await {
                Ok(opened) => return Ok(opened),
                Err(error) => last = Some(error),
            }
        }
        Err(last.expect("an address names a host"))
    }

    async fn open_at(&self, host: &Host, deadline: Instant) -> Result<Opened, ConnectError> {
        let socket = socket::connect(host, deadline)
            .await
            .map_err(|error| ConnectError::unreachable(host, error))?;
        let config = self.config(host, deadline).await?;
        let probe = Probe::of(&socket);
        let heard = Heard::default();
        let driver = |error| ConnectError::driver(host, error);
        let (client, connection, stream) = match self.connector::<Socket>(host) {
            None => {
                let stream = Common::new(Either::Left(socket));
                let overheard = Overheard::new(stream.clone(), Arc::clone(&heard));
                let begun = config.connect_raw(overheard, NoTls).await;
                let (client, connection) = begun.map_err(driver)?;
                (client, Either::Left(connection), stream)
            }
            Some(connector) => {
                let kept = Kept::default();
                let tls = HearInside {
                    inner: Keep {
                        inner: connector,
                        kept: Arc::clone(&kept),
                    },
                    heard: Arc::clone(&heard),
                };
                let begun = config.connect_raw(socket, tls).await;
                let (client, connection) = begun.map_err(driver)?;
                let stream = kept.lock().unwrap_or_else(PoisonError::into_inner).take();
                let stream = stream.ok_or_else(|| {
                    ConnectError::unreachable(host, io::ErrorKind::NotConnected.into())
                })?;
                (client, Either::Right(connection), stream)
            }
        };
        Ok(Opened {
            host: host.clone(),
            client,
            connection,
            stream,
            probe,
            process: heard.get().copied(),
        })
    }

    /// What makes a stream to `host` a secure one, where it is to be.
    pub(super) fn connector<S>(
        &self,
        host: &Host,
    ) -> Option<<MakeRustlsConnect as MakeTlsConnect<S>>::TlsConnect>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut tls = self.inner.tls.clone()?;
        let Host::Tcp(name, _) = host else {
            return None;
        };
        let made = MakeTlsConnect::<S>::make_tls_connect(&mut tls, name);
        Some(made.unwrap_or_else(|never| match never {}))
    }

    /// What the driver is told; the password is made now where it is a token.
    pub(super) async fn config(
        &self,
        host: &Host,
        deadline: Instant,
    ) -> Result<Cow<'_, Config>, ConnectError> {
        let inner = &*self.inner;
        if inner.address.authentication == Authentication::Password {
            return Ok(Cow::Borrowed(&inner.config));
        }
        let token = iam::token(&inner.address, host, &inner.credentials, deadline)
            .await
            .map_err(|error| ConnectError::no_credentials(host, error))?;
        let mut config = inner.config.clone();
        config.password(token.expose());
        Ok(Cow::Owned(config))
    }

    /// What a connection leads to. The first one finds it out, in a round trip.
    async fn endpoint_of(&self, connection: &PostgresConnection, told: Option<i32>) -> Endpoint {
        if let Some(known) = self.inner.endpoint.get() {
            return *known;
        }
        match connection.query_typed_opt(PROCESS, &[]).await {
            Ok(Some(row)) => {
                let is_the_same = told.is_some() && row.try_get(0).ok() == told;
                let found = if is_the_same {
                    Endpoint::Direct
                } else {
                    Endpoint::Pooler
                };
                *self.inner.endpoint.get_or_init(|| found)
            }
            // It may be otherwise next time.
            _ => Endpoint::Pooler,
        }
    }
}

/// A connection as the driver has it.
pub(super) struct Opened {
    pub(super) host: Host,
    pub(super) client: Client,
    pub(super) connection: Either<Plain, Encrypted>,
    /// What it goes over.
    pub(super) stream: Common,
    pub(super) probe: Option<Probe>,
    /// The process id that was told when it began.
    pub(super) process: Option<i32>,
}

impl Manage for PostgresManager {
    type Connection = PostgresConnection;
    type Error = ConnectError;

    async fn connect(&self, deadline: Instant) -> Result<PostgresConnection, ConnectError> {
        let deadline = match self.inner.address.connect_timeout {
            Some(timeout) => deadline.min(Instant::now() + timeout),
            None => deadline,
        };
        let opened = self.open(deadline).await?;
        let process = opened.process;
        let mut connection = PostgresConnection::new(opened);
        let endpoint = self.endpoint_of(&connection, process).await;
        let statements = endpoint
            .statements_for(self.inner.address.statements)
            .map_err(|error| ConnectError::not_safe(connection.host(), error))?;
        connection.with_endpoint(endpoint, statements);
        Ok(connection)
    }

    /// A `Sync`: the server answers it, and nothing else happens.
    async fn check(&self, connection: &mut PostgresConnection) -> Result<(), ConnectError> {
        connection.check().await
    }

    fn is_open(&self, connection: &PostgresConnection) -> bool {
        connection.is_usable()
    }

    /// The one look at the socket each time that it is lent.
    fn has_news(&self, connection: &PostgresConnection) -> bool {
        connection.has_news()
    }

    fn may_pass(&self, error: &ConnectError) -> bool {
        error.may_pass()
    }

    async fn close(&self, connection: PostgresConnection) {
        connection.close().await;
    }

    /// Cancels what may still run on it, where such a request reaches the server, and closes the socket.
    fn abandon(&self, connection: PostgresConnection) {
        if !connection.endpoint().cancels() || connection.is_closed() {
            connection.sever();
            return;
        }
        let manager = self.clone();
        tokio::spawn(async move {
            // It is closed either way.
            let _ = cancel::send(&manager, connection.host(), connection.cancel_token()).await;
            connection.sever();
        });
    }
}

/// What was said of the address, or what its host's name says.
fn known_endpoint(address: &Address) -> Option<Endpoint> {
    let by_name = || match address.hosts.first() {
        Some(Host::Tcp(name, _)) => Endpoint::of_host(name),
        _ => None,
    };
    address.endpoint.or_else(by_name)
}

/// What the driver is told. It sends the user, the database, `application_name`, `client_encoding` and, for Neon, the
/// endpoint; nothing that poolers refuse.
fn config(address: &Address) -> Config {
    let mut config = Config::new();
    config
        .application_name(&address.application_name)
        .ssl_mode(match address.encryption {
            Encryption::None => SslMode::Disable,
            Encryption::Verified(_) | Encryption::Unverified => SslMode::Require,
        });
    if let Some(user) = &address.user {
        config.user(user);
    }
    if let Some(password) = &address.password {
        config.password(password.expose());
    }
    if let Some(database) = &address.database {
        config.dbname(database);
    }
    if let Some(options) = &address.options {
        config.options(options);
    }
    if address.bound {
        config.channel_binding(ChannelBinding::Require);
    }
    config
}

/// Connections as an address wants them cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManagerError {
    /// The certificates.
    #[error("TLS to the database cannot be set up")]
    Tls(#[from] TlsSetUpError),
    /// The statements.
    #[error(transparent)]
    Unsafe(#[from] super::endpoint::UnsafeHere),
}

impl fmt::Debug for PostgresManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresManager")
            .field("address", &self.inner.address)
            .field("endpoint", &self.endpoint())
            .finish_non_exhaustive()
    }
}
