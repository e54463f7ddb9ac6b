//! Why there is no connection to a server.

use std::error::Error;
use std::fmt;
use std::io;

use tokio_postgres::error::SqlState;

use super::address::Host;
use super::endpoint::UnsafeHere;
use super::iam::NoCredentials;
use super::passing;

type Source = Box<dyn Error + Send + Sync>;

/// No connection to the server. The message names the host and, where it can, what to do; it holds no password.
#[derive(Debug)]
pub struct ConnectError {
    host: String,
    kind: Kind,
    source: Option<Source>,
}

#[derive(Debug)]
enum Kind {
    /// The system could not connect.
    Unreachable,
    /// The encrypted channel could not be set up.
    Tls { advice: &'static str },
    /// The server refused; its code and what it said.
    Refused { state: String, message: String },
    /// The server wants a password, and the address holds none.
    NoPassword,
    /// The server's way of authentication is not known, or it did not prove to know the password.
    Authentication,
    /// The connection was lost on the way.
    Lost,
    /// Something unexpected.
    Protocol,
    /// The statements that were asked for are not safe here.
    Unsafe,
    /// There is nothing to sign a token with.
    NoToken { may_pass: bool },
    /// The role may do anything, and must not.
    Superuser,
}

impl ConnectError {
    pub(in crate::postgres) fn unreachable(host: &Host, error: io::Error) -> Self {
        Self::new(host, Kind::Unreachable, Some(Box::new(error)))
    }

    pub(super) fn not_safe(host: &Host, error: UnsafeHere) -> Self {
        Self::new(host, Kind::Unsafe, Some(Box::new(error)))
    }

    pub(in crate::postgres) fn superuser(host: &Host) -> Self {
        Self::new(host, Kind::Superuser, None)
    }

    pub(super) fn no_credentials(host: &Host, error: NoCredentials) -> Self {
        let may_pass = error.may_pass();
        Self::new(host, Kind::NoToken { may_pass }, Some(Box::new(error)))
    }

    /// What the driver's error means while connecting.
    pub(super) fn driver(host: &Host, error: tokio_postgres::Error) -> Self {
        if let Some(refusal) = error.as_db_error() {
            let kind = Kind::Refused {
                state: refusal.code().code().to_owned(),
                message: refusal.message().to_owned(),
            };
            return Self::new(host, kind, None);
        }
        if error.is_closed() {
            return Self::new(host, Kind::Lost, None);
        }
        // The driver's kinds are not public; its texts are all there is to go by.
        let text = error.to_string();
        let source = error.into_source();
        let cause = source.as_ref().map(ToString::to_string).unwrap_or_default();
        let kind = if text.contains("TLS handshake") {
            let advice = tls_advice(&cause);
            Kind::Tls { advice }
        } else if cause.contains("password missing") {
            return Self::new(host, Kind::NoPassword, None);
        } else if text.contains("authentication") {
            Kind::Authentication
        } else if source
            .as_ref()
            .is_some_and(|source| source.is::<io::Error>())
        {
            Kind::Lost
        } else {
            Kind::Protocol
        };
        Self::new(host, kind, source)
    }

    fn new(host: &Host, kind: Kind, source: Option<Source>) -> Self {
        Self {
            host: host.to_string(),
            kind,
            source,
        }
    }

    /// The server's code for its refusal, where it refused.
    pub fn state(&self) -> Option<&str> {
        match &self.kind {
            Kind::Refused { state, .. } => Some(state),
            _ => None,
        }
    }

    /// Whether the same may succeed in a moment.
    pub fn may_pass(&self) -> bool {
        let io = self
            .source
            .as_ref()
            .and_then(|source| source.downcast_ref::<io::Error>());
        match &self.kind {
            Kind::Refused { state, message } => passing::server(state, message),
            Kind::Lost => true,
            Kind::Unreachable => io.is_some_and(|error| passing::io(error.kind())),
            // A server that dies in the handshake comes back; a bad certificate stays bad.
            Kind::Tls { .. } => io.is_some_and(|error| passing::io(error.kind())),
            Kind::NoToken { may_pass } => *may_pass,
            Kind::NoPassword
            | Kind::Authentication
            | Kind::Protocol
            | Kind::Unsafe
            | Kind::Superuser => false,
        }
    }

    /// Whether user, password or database are wrong, or the role may not connect: not to be mended by waiting.
    pub fn is_refused_for_good(&self) -> bool {
        matches!(
            self.kind,
            Kind::Refused { .. } | Kind::NoPassword | Kind::Authentication
        ) && !self.may_pass()
    }
}

/// What to do about a handshake that failed.
fn tls_advice(cause: &str) -> &'static str {
    if cause.contains("does not support TLS") {
        "the server takes no TLS: sslmode=disable sends everything in plain text, on a network you trust"
    } else if cause.contains("UnknownIssuer") {
        "its certificate is signed by nobody who is trusted: name the file with the certificate of its authority in ca_file"
    } else if cause.contains("NotValidForName") || cause.contains("not valid for name") {
        "its certificate is for another host: connect by the name it is for"
    } else if cause.contains("Expired") || cause.contains("expired") {
        "its certificate has expired"
    } else {
        "the encrypted channel could not be set up"
    }
}

/// What to do about a refusal, where there is something.
fn advice(state: &str, message: &str) -> &'static str {
    match state {
        _ if state == SqlState::INVALID_PASSWORD.code() => {
            "; check user and password (/, ?, # and @ in them are written %2F, %3F, %23, %40)"
        }
        _ if state == SqlState::INVALID_CATALOG_NAME.code() => {
            "; the database is the last part of the address"
        }
        _ if state == SqlState::TOO_MANY_CONNECTIONS.code() => {
            "; fewer connections for each process ([pool] size), or a pooler before the server"
        }
        _ if message.contains("unsupported startup parameter") => {
            "; leave it out of the address: a setting of the role (ALTER ROLE ... SET) does the same"
        }
        _ if message.contains("pg_hba.conf") && message.contains("no encryption") => {
            "; the server wants TLS: leave out sslmode=disable"
        }
        _ => "",
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = &self.host;
        match &self.kind {
            Kind::Unreachable => write!(f, "{host} cannot be reached"),
            Kind::Tls { advice } => write!(f, "no secure connection to {host}: {advice}"),
            Kind::Refused { state, message } => {
                let advice = advice(state, message);
                write!(
                    f,
                    "{host} refuses the connection: {message} ({state}){advice}"
                )
            }
            Kind::NoPassword => write!(
                f,
                "{host} wants a password, and the address holds none: it is written user:password@host"
            ),
            Kind::Authentication => {
                write!(f, "{host} and this program do not agree on authentication")
            }
            Kind::Lost => write!(f, "the connection to {host} was lost while it was made"),
            Kind::Protocol => write!(f, "{host} does not answer as PostgreSQL does"),
            Kind::Unsafe => write!(f, "{host} is not to be used as configured"),
            Kind::NoToken { .. } => write!(f, "{host} asks for a token"),
            Kind::Superuser => write!(
                f,
                "the role at {host} has become a superuser, which may not serve statements of others"
            ),
        }
    }
}

impl Error for ConnectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
