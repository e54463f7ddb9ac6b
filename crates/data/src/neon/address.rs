//! The address of a database that is reached over HTTP.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::postgres::connect::{Address, Host};
use crate::vendor_http::Origin;

/// Where the protocol is spoken.
const PATH: &str = "/sql";

/// What is escaped in a connection string.
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'/')
    .add(b':')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'@')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// `neon+https://user:password@host/database`, and `neon+http://` for an endpoint on this machine. `Debug` and `Display`
/// do not show the password.
///
/// Statements of `ep-….neon.tech` are sent to `api.….neon.tech`, as Neon wants it; those of every other host to the host
/// itself, as PlanetScale's Postgres wants it. `ca_file` names the certificates of the authorities to trust.
///
/// ```
/// use paceline_data::neon::NeonAddress;
///
/// let address: NeonAddress = "neon+https://app:hunter2@ep-a-1.eu-central-1.aws.neon.tech/shop".parse()?;
/// assert_eq!(address.endpoint(), "https://api.eu-central-1.aws.neon.tech/sql");
/// assert_eq!(address.to_string(), "neon+https://app@ep-a-1.eu-central-1.aws.neon.tech/shop");
/// assert!(!format!("{address:?}").contains("hunter2"));
/// # Ok::<(), paceline_data::neon::InvalidNeonAddress>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct NeonAddress {
    secure: bool,
    host: String,
    port: u16,
    user: String,
    password: String,
    database: String,
    pub(super) ca_file: Option<PathBuf>,
}

impl NeonAddress {
    /// Whom statements are sent to.
    pub(super) fn origin(&self) -> Origin {
        Origin {
            secure: self.secure,
            host: asked(&self.host),
            port: self.port,
        }
    }

    /// The URL that statements are sent to.
    pub fn endpoint(&self) -> String {
        format!("{}{PATH}", self.origin())
    }

    /// The path of [`endpoint`](Self::endpoint).
    pub(super) fn path() -> &'static str {
        PATH
    }

    /// The name of the host in the address.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The same, with the file of the authorities to trust.
    #[must_use]
    pub fn with_ca_file(self, file: PathBuf) -> Self {
        Self {
            ca_file: Some(file),
            ..self
        }
    }

    /// What the header `Neon-Connection-String` holds. Do not log it.
    pub(super) fn connection_string(&self) -> String {
        let escaped = |text: &str| utf8_percent_encode(text, ESCAPED).to_string();
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        format!(
            "postgresql://{}:{}@{host}/{}",
            escaped(&self.user),
            escaped(&self.password),
            escaped(&self.database)
        )
    }
}

/// The host that is asked for an address's host: Neon's endpoints are asked at the `api.` of their region.
fn asked(host: &str) -> String {
    let is_neon = host.ends_with(".neon.tech") || host.ends_with(".neon.build");
    match host.split_once('.') {
        Some((first, rest)) if is_neon && first != "api" => format!("api.{rest}"),
        _ => host.to_owned(),
    }
}

impl fmt::Display for NeonAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = Origin {
            secure: self.secure,
            host: self.host.clone(),
            port: self.port,
        };
        let scheme = if self.secure { "https" } else { "http" };
        let (user, database) = (&self.user, &self.database);
        write!(
            f,
            "neon+{scheme}://{user}@{}/{database}",
            origin.authority()
        )
    }
}

impl fmt::Debug for NeonAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NeonAddress({self})")
    }
}

/// The text is not the address of a database over HTTP. The message never shows a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidNeonAddress(String);

impl FromStr for NeonAddress {
    type Err = InvalidNeonAddress;

    fn from_str(text: &str) -> Result<Self, InvalidNeonAddress> {
        let invalid = |problem: &str| InvalidNeonAddress(problem.to_owned());
        let (secure, rest) = if let Some(rest) = text.strip_prefix("neon+https://") {
            (true, rest)
        } else if let Some(rest) = text.strip_prefix("neon+http://") {
            (false, rest)
        } else {
            return Err(invalid(
                "the address of a database over HTTP begins with neon+https://",
            ));
        };
        // Escapes, hosts and their mistakes are those of the other addresses of PostgreSQL.
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let port = Origin::usual_port(secure);
        let address: Address = format!("postgres://{rest}?port={port}")
            .parse()
            .map_err(|error| InvalidNeonAddress(format!("{error}")))?;
        let [Host::Tcp(host, port)] = address.hosts() else {
            return Err(invalid(
                "the address names one host: a name or an IP address",
            ));
        };
        let is_local = address.hosts().iter().all(Host::is_local);
        if !secure && !is_local {
            return Err(invalid(
                "neon+http:// would send the password in plain text: write neon+https://, or a host on this machine",
            ));
        }
        let missing = |part: &str| InvalidNeonAddress(format!("the address names no {part}"));
        Ok(Self {
            secure,
            host: host.clone(),
            port: *port,
            user: address.user().ok_or_else(|| missing("user"))?.to_owned(),
            password: address
                .password()
                .ok_or_else(|| missing("password"))?
                .to_owned(),
            database: address
                .database()
                .ok_or_else(|| missing("database"))?
                .to_owned(),
            ca_file: ca_file(query)?,
        })
    }
}

/// The only parameter.
fn ca_file(query: &str) -> Result<Option<PathBuf>, InvalidNeonAddress> {
    let mut file = None;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("ca_file", path)) => {
                let path = percent_decode_str(path).decode_utf8_lossy();
                file = Some(PathBuf::from(path.into_owned()));
            }
            // What other addresses of the same database say.
            Some(("sslmode", "require" | "verify-ca" | "verify-full") | ("channel_binding", _)) => {
            }
            _ => {
                let message = "the address of a database over HTTP has one parameter: ca_file";
                return Err(InvalidNeonAddress(message.to_owned()));
            }
        }
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_vendor_is_asked_where_it_wants_to_be() {
        for (host, expected) in [
            (
                "ep-x-1.eu-central-1.aws.neon.tech",
                "https://api.eu-central-1.aws.neon.tech/sql",
            ),
            (
                "ep-x-1-pooler.eu-central-1.aws.neon.tech",
                "https://api.eu-central-1.aws.neon.tech/sql",
            ),
            (
                "aws-eu-1.pg.psdb.cloud",
                "https://aws-eu-1.pg.psdb.cloud/sql",
            ),
            ("db.example.com:8443", "https://db.example.com:8443/sql"),
            ("[::1]:1", "https://[::1]:1/sql"),
        ] {
            let address: NeonAddress = format!("neon+https://u:p@{host}/d").parse().unwrap();
            assert_eq!(address.endpoint(), expected);
        }
    }

    #[test]
    fn the_connection_string_names_the_host_of_the_address_and_escapes_the_rest() {
        let address: NeonAddress =
            "neon+https://a%40b:p%2Fw%3A@ep-x.aws.neon.tech/d%20b?sslmode=require"
                .parse()
                .unwrap();
        assert_eq!(
            address.connection_string(),
            "postgresql://a%40b:p%2Fw%3A@ep-x.aws.neon.tech/d%20b"
        );
    }

    #[test]
    fn mistakes_are_told_without_the_password() {
        for (text, part) in [
            ("postgres://u:hunter2@h/d", "neon+https"),
            ("neon+https://h/d", "user"),
            ("neon+https://u@h/d", "password"),
            ("neon+https://u:hunter2@h", "database"),
            ("neon+https://u:hunter2@h,i/d", "one host"),
            ("neon+http://u:hunter2@db.example.com/d", "plain text"),
            (
                "neon+https://u:hunter2@h/d?sslmode=disable",
                "one parameter",
            ),
            ("neon+https://u:hunter2@h:0/d", "port"),
        ] {
            let told = text.parse::<NeonAddress>().unwrap_err().to_string();
            assert!(told.contains(part), "{text}: {told}");
            assert!(!told.contains("hunter2"), "{told}");
        }
        assert!(
            "neon+http://u:p@127.0.0.1:8082/d"
                .parse::<NeonAddress>()
                .is_ok()
        );
    }
}
