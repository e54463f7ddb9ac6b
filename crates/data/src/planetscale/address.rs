//! The address: `planetscale://user:password@host/database`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::mysql::connect::InvalidAddress;
use crate::mysql::connect::address::name_and_port;
use crate::postgres::connect::address::{credentials, decoded, unescaped};
use crate::postgres::connect::secret::Secret;
use crate::vendor_http::Origin;

/// Where a database is asked, and as whom. `Debug` does not show the password.
///
/// It is asked over TLS. Only what never leaves this machine is asked without, and only while no `ca_file` is named.
///
/// ```
/// use paceline_data::planetscale::Address;
///
/// let address: Address = "planetscale://app:hunter2@aws.connect.psdb.cloud/shop".parse()?;
/// assert_eq!(address.to_string(), "planetscale://app@aws.connect.psdb.cloud/shop");
/// assert!(!format!("{address:?}").contains("hunter2"));
/// # Ok::<(), paceline_data::mysql::connect::InvalidAddress>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub(super) origin: Origin,
    pub(super) user: String,
    pub(super) password: Secret,
    database: Option<String>,
    ca_file: Option<PathBuf>,
}

impl Address {
    /// Which server is asked.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The database's name. It belongs to the password; where it is named, it is compared.
    pub fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    /// The authorities that are trusted besides none: `None` means those the system knows.
    pub fn ca_file(&self) -> Option<&Path> {
        self.ca_file.as_deref()
    }
}

/// Without the password and without parameters.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let authority = self.origin.authority();
        write!(f, "planetscale://{}@{authority}", self.user)?;
        match &self.database {
            Some(database) => write!(f, "/{database}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let rest = text.strip_prefix("planetscale://").ok_or_else(|| {
            InvalidAddress::new("the address of PlanetScale over HTTP begins with planetscale://")
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
        let (user, host) = authority.rsplit_once('@').ok_or_else(|| {
            InvalidAddress::new(
                "the address names no user: write planetscale://user:password@host/database",
            )
        })?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (Some(user), Some(password)) = credentials(Some(user))? else {
            return Err(InvalidAddress::new(
                "the address needs a user and a password: planetscale://user:password@host/database",
            ));
        };
        // The header that carries both ends the name there.
        if user.contains(':') {
            return Err(InvalidAddress::new("the user's name holds a colon"));
        }
        let ca_file = ca_file(query)?;
        let (host, port) = name_and_port(host)?;
        if host.is_empty() {
            return Err(InvalidAddress::new("the address names no host"));
        }
        let secure = ca_file.is_some() || !is_local(&host);
        let database = decoded(path.trim_start_matches('/'), "database's name")?;
        Ok(Self {
            origin: Origin {
                secure,
                host,
                port: port.unwrap_or_else(|| Origin::usual_port(secure)),
            },
            user,
            password,
            database: Some(database).filter(|name| !name.is_empty()),
            ca_file,
        })
    }
}

/// Whether what is sent there does not leave this machine.
fn is_local(host: &str) -> bool {
    let address = host.parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// The one parameter there is.
fn ca_file(query: &str) -> Result<Option<PathBuf>, InvalidAddress> {
    let mut found = None;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if name != "ca_file" {
            return Err(InvalidAddress::new(format!(
                "the parameter {name} is not known; there is ca_file"
            )));
        }
        let value = decoded(value, "parameter ca_file")?;
        if found.replace(PathBuf::from(value)).is_some() {
            return Err(InvalidAddress::new(
                "the parameter ca_file is written twice",
            ));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_say_where_and_how() {
        let check = |text: &str, origin: &str, database: Option<&str>| {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.origin().to_string(), origin, "{text}");
            assert_eq!(address.database(), database, "{text}");
            assert_eq!(address.password.expose(), "p@ss", "{text}");
        };
        let host = "https://aws.connect.psdb.cloud";
        check(
            "planetscale://u:p%40ss@aws.connect.psdb.cloud/shop",
            host,
            Some("shop"),
        );
        check("planetscale://u:p%40ss@aws.connect.psdb.cloud", host, None);
        check(
            "planetscale://u:p%40ss@127.0.0.1:8080/a%20b",
            "http://127.0.0.1:8080",
            Some("a b"),
        );
        check(
            "planetscale://u:p%40ss@localhost:8443/?ca_file=%2Fca.pem",
            "https://localhost:8443",
            None,
        );
        check("planetscale://u:p%40ss@[::1]/x", "http://[::1]", Some("x"));
    }

    #[test]
    fn what_is_wrong_is_named_and_the_password_is_not() {
        let check = |text: &str, about: &str| {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains(about), "{text}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        };
        check("mysql://u:hunter2@h/d", "planetscale://");
        check("planetscale://u@h/d", "password");
        check("planetscale://h/d", "user");
        check("planetscale://u:hunter2@/d", "host");
        check("planetscale://u:hunter2@h:0/d", "port");
        check("planetscale://u:a/hunter2@h/d", "%2F");
        check("planetscale://u:hunter2@h/d?sslmode=disable", "sslmode");
        check("planetscale://u%3Ax:hunter2@h/d", "colon");
    }
}
