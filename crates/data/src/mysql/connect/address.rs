//! The address of a server: `mysql://user:password@host:port/database?parameter=value`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::parameters;
use super::{Encryption, InvalidAddress, StatementMode};
use crate::postgres::connect::address::{credentials, decoded, unescaped};
use crate::postgres::connect::secret::Secret;

/// The port where none is written.
const PORT: u16 = 3306;

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Host {
    /// A name or an IP address, and a port.
    Tcp(String, u16),
    /// A socket in the file system.
    Socket(PathBuf),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp(host, port) => write!(f, "{host}:{port}"),
            Self::Socket(path) => write!(f, "{}", path.display()),
        }
    }
}

impl Host {
    pub(in crate::mysql) fn is_local(&self) -> bool {
        match self {
            Self::Socket(_) => true,
            Self::Tcp(host, _) => {
                host == "localhost"
                    || host
                        .parse()
                        .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
            }
        }
    }

    /// Whether the name is that of an RDS Proxy.
    pub(in crate::mysql) fn is_rds_proxy(&self) -> bool {
        let Self::Tcp(host, _) = self else {
            return false;
        };
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let is_amazon =
            host.ends_with(".rds.amazonaws.com") || host.ends_with(".rds.amazonaws.com.cn");
        is_amazon
            && host
                .split('.')
                .skip(1)
                .any(|label| label.starts_with("proxy-"))
    }
}

/// What the address of a server says. `Debug` does not show the password.
///
/// ```
/// use paceline_data::mysql::connect::Address;
///
/// let address: Address = "mysql://app:hunter2@db.example.com/shop".parse()?;
/// assert_eq!(address.to_string(), "mysql://app@db.example.com:3306/shop");
/// assert!(!format!("{address:?}").contains("hunter2"));
/// # Ok::<(), paceline_data::mysql::connect::InvalidAddress>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub(super) host: Host,
    pub(super) user: Option<String>,
    pub(super) password: Option<Secret>,
    pub(super) database: String,
    pub(super) encryption: Encryption,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) statements: Option<StatementMode>,
    /// Whether something stands between us and the server, if that was said.
    pub(super) is_proxied: Option<bool>,
}

impl Address {
    /// Where it listens.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The database's name.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// Whether connections are encrypted.
    pub fn encryption(&self) -> &Encryption {
        &self.encryption
    }

    /// The same, with the statements that are wanted.
    #[must_use]
    pub fn with_statements(self, mode: StatementMode) -> Self {
        Self {
            statements: Some(mode),
            ..self
        }
    }

    /// The same, with whether something stands between us and the server.
    #[must_use]
    pub fn with_proxy(self, is_proxied: bool) -> Self {
        Self {
            is_proxied: Some(is_proxied),
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
}

/// Without the password and without parameters.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("mysql://")?;
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        write!(f, "{}/{}", self.host, self.database)
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let rest = text
            .strip_prefix("mysql://")
            .or_else(|| text.strip_prefix("mariadb://"))
            .ok_or_else(|| {
                InvalidAddress::new("the address of a MySQL or MariaDB server begins with mysql://")
            })?;
        if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(InvalidAddress::new(
                "the address holds a space or a line break: write %20",
            ));
        }
        if rest.contains('#') {
            return Err(InvalidAddress::new("the address holds a #: write %23"));
        }
        let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if rest.contains('@') {
            return Err(unescaped());
        }
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (user, password) = credentials(user)?;
        let parameters = parameters::read(query)?;
        let host = match parameters.socket {
            Some(path) => Host::Socket(path),
            None => tcp(host)?,
        };
        let database = decoded(path.trim_start_matches('/'), "database's name")?;
        if database.is_empty() {
            return Err(InvalidAddress::new(
                "the address names no database: write it behind the host, as in mysql://user@host/shop",
            ));
        }
        Ok(Self {
            encryption: parameters.encryption.resolve(host.is_local())?,
            host,
            user,
            password,
            database,
            connect_timeout: parameters.connect_timeout,
            statements: parameters.statements,
            is_proxied: parameters.is_proxied,
        })
    }
}

fn tcp(text: &str) -> Result<Host, InvalidAddress> {
    let (name, port) = name_and_port(text)?;
    if name.is_empty() {
        return Err(InvalidAddress::new(
            "the address names no host: write localhost, or ?socket=/run/mysqld/mysqld.sock",
        ));
    }
    Ok(Host::Tcp(name, port.unwrap_or(PORT)))
}

/// `host`, `host:port` or `[address]:port`. The name may be empty.
pub(crate) fn name_and_port(text: &str) -> Result<(String, Option<u16>), InvalidAddress> {
    let bracketed = text.strip_prefix('[').and_then(|text| text.split_once(']'));
    let (name, port) = match bracketed {
        Some((name, "")) => (name, None),
        Some((name, rest)) => (name, Some(rest.strip_prefix(':').unwrap_or("?"))),
        None => match text.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (text, None),
        },
    };
    // What is no port may be a piece of a password: it is not shown.
    let port = match port.map(str::parse) {
        None => None,
        Some(Ok(port)) if port > 0 => Some(port),
        Some(_) => {
            return Err(InvalidAddress::new(
                "the port is not a number from 1 to 65535",
            ));
        }
    };
    let name = decoded(name, "host")?;
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    if name.parse::<std::net::IpAddr>().is_err() && !name.chars().all(is_name) {
        return Err(InvalidAddress::new(
            "the host is not a name or an IP address (an IPv6 address stands in [brackets])",
        ));
    }
    Ok((name, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let error = text.parse::<Address>().expect_err("refused").to_string();
        assert!(!error.contains("hunter2"), "{error}");
        error
    }

    #[test]
    fn addresses_say_where_and_how() {
        let address: Address = "mysql://app:hunter%232@db.example.com:3307/shop?ssl-ca=/ca.pem"
            .parse()
            .unwrap();
        assert_eq!(address.host, Host::Tcp("db.example.com".to_owned(), 3307));
        assert_eq!(address.password, Some(Secret::new("hunter#2".to_owned())));
        let ca = Encryption::Verified(Some("/ca.pem".into()));
        assert_eq!(address.encryption, ca);
        let encryption = |text: &str| text.parse::<Address>().unwrap().encryption;
        assert_eq!(
            encryption("mysql://db.example.com/shop"),
            Encryption::Verified(None)
        );
        assert_eq!(encryption("mysql://127.0.0.1/shop"), Encryption::None);
        assert_eq!(
            encryption("mysql://localhost/shop?ssl-mode=VERIFY_IDENTITY"),
            Encryption::Verified(None)
        );
        assert_eq!(
            encryption("mysql://h/shop?ssl-mode=disabled"),
            Encryption::None
        );
        assert_eq!(
            encryption("mysql://h/shop?insecure=true"),
            Encryption::Unverified
        );
        let socket: Address = "mysql://app@/shop?socket=/run/mysqld/mysqld.sock"
            .parse()
            .unwrap();
        assert_eq!(socket.host, Host::Socket("/run/mysqld/mysqld.sock".into()));
        assert_eq!(socket.encryption, Encryption::None);
        let proxy: Address = "mysql://shop.proxy-abc.eu-west-1.rds.amazonaws.com/shop"
            .parse()
            .unwrap();
        assert!(proxy.host.is_rds_proxy());
        assert!(!address.host.is_rds_proxy());
    }

    #[test]
    fn mistakes_are_named() {
        let check = |text: &str, expected: &str| {
            let error = refused(text);
            assert!(error.contains(expected), "{text}: {error}");
        };
        check("mysql://u:hunter2@h", "names no database");
        check("mysql://u:hunter2@/shop", "names no host");
        check("mysql://u:hunter2@h:port/shop", "the port is not");
        check("mysql://u:hun/ter2@h/shop", "after the first /");
        check("mysql://u:hunter2@h/shop?ssl-mode=preferred", "preferred");
        check("mysql://u:hunter2@h/shop?ssl_mode=disabled", "ssl-mode");
        check("mysql://u:a@?hunter2@h/shop", "%3F");
        check("mysql://u:a@/hunter2@h/shop", "%2F");
        check("mysql://u:hunter2@h/sh op", "%20");
        check("mysql://u:hun#ter2@h/shop", "%23");
        check("postgres://h/shop", "begins with mysql://");
        check(
            "mysql://h/shop?ssl-mode=disabled&ssl-ca=/ca.pem",
            "contradicts",
        );
        check("mysql://h/shop?statements=x", "named or unnamed");
    }
}
