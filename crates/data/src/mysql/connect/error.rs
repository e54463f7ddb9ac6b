//! Why there is no connection to a server.

use std::error::Error;
use std::fmt;
use std::io;

use mysql_async::{DriverError, IoError};

use super::address::Host;

/// No connection to the server. The message names the host and, where it can, what to do; it holds no password.
#[derive(Debug)]
pub struct ConnectError {
    host: String,
    kind: Kind,
    source: Option<Box<mysql_async::Error>>,
}

#[derive(Debug)]
enum Kind {
    /// The system could not connect, or the connection was lost on the way.
    Unreachable(Option<io::ErrorKind>),
    /// The encrypted channel could not be set up.
    Tls(&'static str),
    /// The server refused: its code and what it said.
    Refused(u16, String),
    /// The server is too old; what is wanted.
    TooOld(String, &'static str),
    /// It does not say what a server says.
    Protocol,
}

impl ConnectError {
    /// What the driver's error means while connecting.
    pub(super) fn driver(host: &Host, error: mysql_async::Error) -> Self {
        let kind = match &error {
            mysql_async::Error::Server(refusal) => {
                Kind::Refused(refusal.code, refusal.message.clone())
            }
            mysql_async::Error::Io(IoError::Io(error)) if is_tls(&error.to_string()) => {
                Kind::Tls(tls_advice(&error.to_string()))
            }
            mysql_async::Error::Io(IoError::Io(error)) => Kind::Unreachable(Some(error.kind())),
            mysql_async::Error::Io(IoError::Tls(error)) => {
                Kind::Tls(tls_advice(&error.to_string()))
            }
            mysql_async::Error::Driver(DriverError::NoClientSslFlagFromServer) => Kind::Tls(
                "the server takes no TLS: ssl-mode=disabled sends everything in plain text, on a network you trust",
            ),
            mysql_async::Error::Driver(DriverError::ConnectionClosed) => Kind::Unreachable(None),
            _ => Kind::Protocol,
        };
        Self {
            host: host.to_string(),
            kind,
            source: Some(Box::new(error)),
        }
    }

    pub(super) fn too_old(host: &Host, version: &str, wanted: &'static str) -> Self {
        Self {
            host: host.to_string(),
            kind: Kind::TooOld(version.to_owned(), wanted),
            source: None,
        }
    }

    pub(super) fn protocol(host: &Host) -> Self {
        Self {
            host: host.to_string(),
            kind: Kind::Protocol,
            source: None,
        }
    }

    /// The server's code for its refusal, where it refused.
    pub fn code(&self) -> Option<u16> {
        match self.kind {
            Kind::Refused(code, _) => Some(code),
            _ => None,
        }
    }

    /// Whether another attempt may succeed in a moment: the server restarts, or has as many connections as it takes.
    pub(super) fn may_pass(&self) -> bool {
        use io::ErrorKind as Io;
        match self.kind {
            // Too many connections (of this user), a server that stops or starts, resources short for a moment.
            Kind::Refused(code, _) => {
                matches!(
                    code,
                    1040 | 1203 | 1226 | 1053 | 1079 | 1135 | 1158..=1161 | 1927
                )
            }
            Kind::Unreachable(kind) => kind.is_none_or(|kind| {
                matches!(
                    kind,
                    Io::ConnectionRefused
                        | Io::ConnectionReset
                        | Io::ConnectionAborted
                        | Io::BrokenPipe
                        | Io::UnexpectedEof
                        | Io::TimedOut
                        | Io::AddrNotAvailable
                        | Io::HostUnreachable
                        | Io::NetworkUnreachable
                )
            }),
            Kind::Tls(_) | Kind::TooOld(..) | Kind::Protocol => false,
        }
    }
}

fn is_tls(cause: &str) -> bool {
    cause.contains("certificate") || cause.contains("alert") || cause.contains("TLS")
}

/// What to do about a handshake that failed.
fn tls_advice(cause: &str) -> &'static str {
    if cause.contains("UnknownIssuer") {
        "its certificate is signed by nobody who is trusted: name the file with the certificate of its authority in ssl-ca"
    } else if cause.contains("NotValidForName") || cause.contains("not valid for name") {
        "its certificate is for another host: connect by the name it is for"
    } else if cause.contains("Expired") || cause.contains("expired") {
        "its certificate has expired"
    } else {
        "the encrypted channel could not be set up"
    }
}

/// What to do about a refusal, where there is something.
fn advice(code: u16) -> &'static str {
    match code {
        1045 | 1698 => {
            "; check user and password (/, ?, # and @ in them are written %2F, %3F, %23, %40)"
        }
        1049 => "; the database is the last part of the address",
        1040 | 1203 => {
            "; fewer connections for each process ([pool] size), or a higher max_connections"
        }
        3159 => "; the server wants TLS: leave out ssl-mode=disabled",
        _ => "",
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = &self.host;
        match &self.kind {
            Kind::Unreachable(_) => write!(f, "{host} cannot be reached"),
            Kind::Tls(advice) => write!(f, "no secure connection to {host}: {advice}"),
            Kind::Refused(code, message) => write!(
                f,
                "{host} refuses the connection: {message} ({code}){}",
                advice(*code)
            ),
            Kind::TooOld(version, wanted) => {
                write!(f, "{host} is {version}: {wanted} or later is needed")
            }
            Kind::Protocol => write!(f, "{host} does not answer as MySQL does"),
        }
    }
}

impl Error for ConnectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.source.as_ref()?;
        // A refusal is told whole already.
        (!matches!(self.kind, Kind::Refused(..))).then_some(&**source)
    }
}
