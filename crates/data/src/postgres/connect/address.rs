//! The address of a server: `postgres://user:password@host:port/database?parameter=value`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::percent_decode_str;

use super::endpoint::{Endpoint, StatementMode};
use super::iam::{self, Authentication};
use super::neon;
use super::parameters;
use super::secret::Secret;

/// The port where none is written.
const PORT: u16 = 5432;

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Host {
    /// A name or an IP address, and a port.
    Tcp(String, u16),
    /// The folder of a socket in the file system, and the port that is part of the socket's name.
    Socket(PathBuf, u16),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp(host, port) => write!(f, "{host}:{port}"),
            Self::Socket(folder, port) => write!(f, "{}/.s.PGSQL.{port}", folder.display()),
        }
    }
}

impl Host {
    /// Whether what is sent there does not leave this machine.
    pub(crate) fn is_local(&self) -> bool {
        match self {
            Self::Socket(..) => true,
            Self::Tcp(host, _) => {
                host == "localhost"
                    || host
                        .parse()
                        .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
            }
        }
    }
}

/// Whether a connection is encrypted, and whom it trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encryption {
    /// Not encrypted: `sslmode=disable`, and what is usual on the loopback interface and on sockets.
    None,
    /// Encrypted; the certificate must be for the host's name and signed by an authority that the system knows, or
    /// one in this PEM file (`sslrootcert`, `ca_file`). What is usual everywhere else.
    Verified(Option<PathBuf>),
    /// Encrypted, and any certificate will do: `insecure=true`. Who stands in between can read and change all.
    Unverified,
}

/// What the address of a server says. `Debug` does not show the password.
///
/// ```
/// use paceline_data::postgres::connect::Address;
///
/// let address: Address = "postgres://app:hunter2@db.example.com/shop?application_name=api".parse()?;
/// assert_eq!(address.to_string(), "postgres://app@db.example.com:5432/shop");
/// assert!(!format!("{address:?}").contains("hunter2"));
/// # Ok::<(), paceline_data::postgres::connect::InvalidAddress>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Tried in this order.
    pub(crate) hosts: Vec<Host>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Secret>,
    pub(crate) database: Option<String>,
    pub(crate) encryption: Encryption,
    /// How the password comes about.
    pub(crate) authentication: Authentication,
    /// Whether authentication must be bound to the TLS channel.
    pub(crate) bound: bool,
    pub(crate) application_name: String,
    /// Which of Neon's endpoints, where the host's name cannot say it.
    pub(crate) options: Option<String>,
    pub(crate) connect_timeout: Option<Duration>,
    /// What stands between us and the server, if that was said.
    pub(crate) endpoint: Option<Endpoint>,
    /// Which statements are wanted, if that was said.
    pub(crate) statements: Option<StatementMode>,
}

impl Address {
    /// The hosts, in the order in which they are tried.
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// The database's name, where the address says it. It is the user's name otherwise.
    pub fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    /// The user's name, where the address says it. It is the name of the system's account otherwise.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The password, where the address holds one. Do not log it.
    pub(crate) fn password(&self) -> Option<&str> {
        self.password.as_ref().map(Secret::expose)
    }

    /// Whether connections are encrypted.
    pub fn encryption(&self) -> &Encryption {
        &self.encryption
    }

    /// How its password comes about.
    pub fn authentication(&self) -> Authentication {
        self.authentication
    }

    /// The same database through Amazon RDS Proxy: its name, and a port where it is another one than the address has. What
    /// the address says of a pooler stays.
    ///
    /// # Errors
    /// When that is no host.
    pub fn through_rds_proxy(self, host: &str) -> Result<Self, InvalidAddress> {
        let port = match self.hosts.first() {
            Some(Host::Tcp(_, port)) => Some(*port),
            _ => None,
        };
        let host = one_host(host, port)?;
        let encryption = match self.encryption {
            // What is usual on this machine is not what is usual there.
            Encryption::None if self.hosts.iter().all(Host::is_local) && !host.is_local() => {
                Encryption::Verified(None)
            }
            other => other,
        };
        Ok(Self {
            hosts: vec![host],
            encryption,
            endpoint: self.endpoint.or(Some(Endpoint::RdsProxy)),
            ..self
        })
    }

    /// The same, with what stands between us and the server.
    #[must_use]
    pub fn with_endpoint(self, endpoint: Endpoint) -> Self {
        Self {
            endpoint: Some(endpoint),
            ..self
        }
    }

    /// The same, with the statements that are wanted.
    #[must_use]
    pub fn with_statements(self, mode: StatementMode) -> Self {
        Self {
            statements: Some(mode),
            ..self
        }
    }

    /// The same, with the file of the authorities to trust, where connections are encrypted and verified.
    #[must_use]
    pub fn with_ca_file(self, file: PathBuf) -> Self {
        let encryption = match self.encryption {
            Encryption::Verified(_) => Encryption::Verified(Some(file)),
            other => other,
        };
        Self { encryption, ..self }
    }

    /// The same, sending `options` when a connection begins, which poolers refuse.
    pub(in crate::postgres) fn with_options(self, options: &str) -> Self {
        Self {
            options: Some(options.to_owned()),
            ..self
        }
    }

    /// The same server and user, another database.
    #[must_use]
    pub fn with_database(self, name: &str) -> Self {
        Self {
            database: Some(name.to_owned()),
            ..self
        }
    }

    /// The same, known to the server under another name.
    #[must_use]
    pub fn with_application_name(self, name: &str) -> Self {
        Self {
            application_name: name.to_owned(),
            ..self
        }
    }
}

/// Without the password and without parameters, which may hold one.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        for (index, host) in self.hosts.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{host}")?;
        }
        match &self.database {
            Some(database) => write!(f, "/{database}"),
            None => Ok(()),
        }
    }
}

/// The text is not the address of a database server. The message names the part that is wrong and never shows a
/// password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidAddress(String);

impl InvalidAddress {
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self(problem.into())
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let rest = text
            .strip_prefix("postgres://")
            .or_else(|| text.strip_prefix("postgresql://"))
            .ok_or_else(|| {
                InvalidAddress::new("the address of a PostgreSQL server begins with postgres://")
            })?;
        if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(InvalidAddress::new(
                "the address holds a space or a line break: write %20",
            ));
        }
        let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if rest.contains('@') {
            return Err(unescaped());
        }
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (Some(user), hosts),
            None => (None, authority),
        };
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (rest, None),
        };
        if path.contains('#') || query.is_some_and(|query| query.contains('#')) {
            return Err(InvalidAddress::new("the address holds a #: write %23"));
        }
        let (user, password) = credentials(user)?;
        let parameters = parameters::read(query.unwrap_or_default())?;
        let hosts = hosts_of(hosts, &parameters)?;
        let database = path.trim_start_matches('/');
        let database = match parameters.database {
            Some(database) => Some(database),
            None if database.is_empty() => None,
            None => Some(decoded(database, "database's name")?),
        };
        let is_local = hosts.iter().all(Host::is_local);
        let authentication = parameters.authentication;
        // A token needs TLS, also to this machine.
        let is_local = is_local && authentication == Authentication::Password;
        let address = Self {
            encryption: parameters.encryption.resolve(is_local)?,
            authentication,
            hosts,
            user: parameters.user.or(user),
            password: parameters.password.or(password),
            database,
            bound: parameters.bound,
            application_name: parameters
                .application_name
                .unwrap_or_else(|| "paceline".to_owned()),
            options: parameters.options,
            connect_timeout: parameters.connect_timeout,
            endpoint: parameters.endpoint,
            statements: parameters.statements,
        };
        iam::check(&address)?;
        neon::check(
            &address.hosts,
            &address.encryption,
            address.options.as_deref(),
        )?;
        Ok(address)
    }
}

/// A password cut at a character that ends the authority: what follows must not be taken for a host and shown.
pub(crate) fn unescaped() -> InvalidAddress {
    InvalidAddress::new(
        "there is an @ after the first /, ? or #: if these belong to the password, write them as %2F, %3F and %23; write the @ \
         of anything else as %40",
    )
}

/// User and password of `user:password`.
pub(crate) fn credentials(
    part: Option<&str>,
) -> Result<(Option<String>, Option<Secret>), InvalidAddress> {
    let Some(part) = part.filter(|part| !part.is_empty()) else {
        return Ok((None, None));
    };
    let (user, password) = match part.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (part, None),
    };
    let password = password
        .map(|password| decoded(password, "password").map(Secret::new))
        .transpose()?;
    let user = decoded(user, "user's name")?;
    Ok((Some(user).filter(|user| !user.is_empty()), password))
}

fn hosts_of(text: &str, parameters: &parameters::Parameters) -> Result<Vec<Host>, InvalidAddress> {
    let text = match (&parameters.host, text) {
        (None, "") => {
            return Err(InvalidAddress::new(
                "the address names no host: write localhost, or ?host=/var/run/postgresql for a socket",
            ));
        }
        (Some(_), text) if !text.is_empty() => {
            return Err(InvalidAddress::new(
                "the host is written twice: before the database, and as a parameter",
            ));
        }
        (Some(host), _) => host.clone(),
        (None, text) => text.to_owned(),
    };
    text.split(',')
        .map(|host| one_host(host, parameters.port))
        .collect()
}

fn one_host(text: &str, port: Option<u16>) -> Result<Host, InvalidAddress> {
    let bracketed = text.strip_prefix('[').and_then(|text| text.split_once(']'));
    let (name, written) = match bracketed {
        Some((name, "")) => (name, None),
        Some((name, rest)) => (name, Some(rest.strip_prefix(':').unwrap_or("?"))),
        None if text.starts_with('/') => (text, None),
        None => match text.split_once(':') {
            Some((name, written)) => (name, Some(written)),
            None => (text, None),
        },
    };
    // What is no port may be a piece of a password: it is not shown.
    let written: Option<u16> = written
        .map(|written| written.parse().map_err(|_| bad_port()))
        .transpose()?;
    let port = written.or(port).unwrap_or(PORT);
    if port == 0 {
        return Err(bad_port());
    }
    let name = decoded(name, "host")?;
    if name.starts_with('/') {
        return Ok(Host::Socket(name.into(), port));
    }
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let is_address = name.parse::<std::net::IpAddr>().is_ok();
    if name.is_empty() || !(is_address || name.chars().all(is_name)) {
        return Err(InvalidAddress::new(
            "the host is not a name or an IP address (an IPv6 address stands in [brackets])",
        ));
    }
    Ok(Host::Tcp(name, port))
}

fn bad_port() -> InvalidAddress {
    InvalidAddress::new("the port is not a number from 1 to 65535")
}

/// The text without its percent signs.
pub(crate) fn decoded(text: &str, part: &str) -> Result<String, InvalidAddress> {
    let bytes: Vec<u8> = percent_decode_str(text).collect();
    let text = String::from_utf8(bytes).map_err(|_| {
        InvalidAddress::new(format!(
            "the {part} is not UTF-8 after decoding its % signs"
        ))
    })?;
    if text.contains('\0') {
        return Err(InvalidAddress::new(format!("the {part} holds a zero byte")));
    }
    Ok(text)
}
