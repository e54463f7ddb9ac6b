//! Opens connections to the server of an address, for a pool.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Opts, OptsBuilder, Row};

use super::address::{Address, Host};
use super::connection::MySqlConnection;
use super::error::ConnectError;
use super::session::{FACTS, Session};
use super::{Encryption, StatementMode, TlsSetUpError, kill, tls};
use crate::pool::Manage;
use crate::postgres::connect::secret::Secret;

/// Statements kept by each connection: lists, selections and filters in use at a time. The one not used for longest
/// makes room.
const KEPT: usize = 256;
/// A peer that is silent is asked after so long.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// The largest packet of the protocol. The server bounds what it takes; asking it for its bound is a round trip.
const MAX_PACKET: usize = 1024 * 1024 * 1024;
/// The driver closes what lay longer than this when it is used. The pool judges that.
const WAIT_SECONDS: usize = 365 * 24 * 3600;

/// Opens, checks and closes connections to the server of an [`Address`].
///
/// A connection takes the handshake and one question: version, time zone, SQL mode, character set. Where the session
/// is not in UTC, does not commit by itself or is not `utf8mb4`, and where it is to write but would store values that
/// do not fit, one `SET` follows. Behind Amazon RDS Proxy that `SET` would hold a server's connection: make UTC and
/// strict mode the server's defaults (they are those of RDS).
#[derive(Clone)]
pub struct MySqlManager {
    inner: Arc<Inner>,
}

struct Inner {
    address: Address,
    opts: Opts,
    writes: bool,
}

impl MySqlManager {
    /// For the server of `address`, to read. Nothing is connected to yet; files of certificates are read.
    ///
    /// # Errors
    /// When the certificates cannot be used.
    pub fn new(address: Address) -> Result<Self, TlsSetUpError> {
        Self::with_writes(address, false)
    }

    pub(in crate::mysql) fn with_writes(
        address: Address,
        writes: bool,
    ) -> Result<Self, TlsSetUpError> {
        if address.encryption == Encryption::Unverified {
            tracing::warn!(
                server = %address,
                "insecure=true: anybody between this program and the database can read and change everything; \
                 name the certificate of its authority in ssl-ca instead"
            );
        }
        Ok(Self {
            inner: Arc::new(Inner {
                opts: opts(&address)?,
                address,
                writes,
            }),
        })
    }

    /// Where its connections go.
    pub fn address(&self) -> &Address {
        &self.inner.address
    }

    /// How statements are sent: prepared ones hold a server's connection behind what shares them.
    fn statements(&self, is_direct: bool) -> StatementMode {
        let address = &self.inner.address;
        let is_proxied = address
            .is_proxied
            .unwrap_or(!is_direct || address.host.is_rds_proxy());
        let usual = if is_proxied {
            StatementMode::Unnamed
        } else {
            StatementMode::Named
        };
        address.statements.unwrap_or(usual)
    }

    async fn open(&self) -> Result<MySqlConnection, ConnectError> {
        let host = &self.inner.address.host;
        let driver = |error| ConnectError::driver(host, error);
        let mut conn = Conn::new(self.inner.opts.clone()).await.map_err(driver)?;
        let facts: Option<Row> = conn.query_first(FACTS).await.map_err(driver)?;
        let session = facts.and_then(|row| Session::of(&row, self.inner.writes));
        let session = session.ok_or_else(|| ConnectError::protocol(host))?;
        if let Some(wanted) = session.too_old() {
            return Err(ConnectError::too_old(host, &session.version, wanted));
        }
        if let Some(settings) = &session.settings {
            conn.query_drop(settings.as_str()).await.map_err(driver)?;
        }
        let connection = MySqlConnection::new(conn, session);
        let statements = self.statements(connection.is_direct());
        Ok(connection.with_statements(statements))
    }
}

impl Manage for MySqlManager {
    type Connection = MySqlConnection;
    type Error = ConnectError;

    async fn connect(&self, deadline: Instant) -> Result<MySqlConnection, ConnectError> {
        let deadline = match self.inner.address.connect_timeout {
            Some(timeout) => deadline.min(Instant::now() + timeout),
            None => deadline,
        };
        let opened = tokio::time::timeout_at(deadline.into(), self.open()).await;
        opened.unwrap_or_else(|_| {
            let late = std::io::Error::from(std::io::ErrorKind::TimedOut);
            Err(ConnectError::driver(&self.inner.address.host, late.into()))
        })
    }

    /// A `COM_PING`: the server answers it, and nothing else happens.
    async fn check(&self, connection: &mut MySqlConnection) -> Result<(), ConnectError> {
        let checked = connection.driver().ping().await;
        checked.map_err(|error| ConnectError::driver(&self.inner.address.host, error))
    }

    fn is_open(&self, connection: &MySqlConnection) -> bool {
        !connection.is_closed()
    }

    fn may_pass(&self, error: &ConnectError) -> bool {
        error.may_pass()
    }

    async fn close(&self, connection: MySqlConnection) {
        connection.close().await;
    }

    /// Closes the socket, and has the server stop what may still run: it does not look at the socket before it has
    /// rows to send. Behind what shares connections the number we know is not the server's, and nobody is told.
    fn abandon(&self, connection: MySqlConnection) {
        let id = connection.session().connection_id;
        let tell = connection.is_direct() && !self.inner.address.host.is_rds_proxy();
        connection.sever();
        if tell && let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(kill::send(self.inner.opts.clone(), id));
        }
    }
}

/// What the driver is told.
fn opts(address: &Address) -> Result<Opts, TlsSetUpError> {
    let tls = tls::options(&address.encryption)?;
    let is_encrypted = matches!(address.encryption, Encryption::Verified(_));
    let opts = OptsBuilder::default()
        .user(address.user.clone())
        .pass(address.password.as_ref().map(Secret::expose))
        .db_name(Some(address.database.clone()))
        .prefer_socket(false)
        .tcp_keepalive(Some(KEEPALIVE))
        .max_allowed_packet(Some(MAX_PACKET))
        .wait_timeout(Some(WAIT_SECONDS))
        .stmt_cache_size(KEPT)
        // How many rows an UPDATE met, not how many it made other than they were.
        .client_found_rows(true)
        // Tokens of IAM are sent as they are, to whom the certificate shows to be the server.
        .enable_cleartext_plugin(is_encrypted)
        .connect_attribute("program_name", "paceline")
        .ssl_opts(tls);
    let opts = match &address.host {
        Host::Tcp(name, port) => opts.ip_or_hostname(name.clone()).tcp_port(*port),
        Host::Socket(path) => opts.socket(Some(path.display().to_string())),
    };
    Ok(opts.into())
}

impl fmt::Debug for MySqlManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySqlManager")
            .field("address", &self.inner.address)
            .finish_non_exhaustive()
    }
}
