//! What errors of the server and the driver mean.

use mysql_async::ServerError;

use super::connect::{ConnectError, TlsSetUpError};
use super::query::Stopped;
use crate::pool::AcquireError;
use crate::run::RunError;
use crate::server::{self, Unanswered};
use crate::sql::mysql::FAILED;
use crate::write::server::{Fault, Refusal, Refused};
use crate::write::{Constraint, Names, SqlState};

/// Another row has the same key.
const DUPLICATE: u16 = 1062;
/// The transaction was undone so that others could go on.
const DEADLOCK: u16 = 1213;
/// There is no such table.
const NO_TABLE: u16 = 1146;

/// A database cannot be used. The message names the server and says what to do; it holds no password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MySqlOpenError {
    /// Connections as the address wants them cannot be made.
    #[error("the address of the database cannot be used")]
    Address(#[from] TlsSetUpError),
    /// The server cannot be reached, or refuses.
    #[error("no connection to the database")]
    Connect(#[from] AcquireError),
    /// A connection cannot be made.
    #[error("no connection to the database")]
    Refused(#[from] ConnectError),
    /// The schema cannot be read.
    #[error("the schema of the database cannot be read")]
    Schema(#[from] mysql_async::Error),
    /// Reading the schema took too long.
    #[error("reading the schema of the database took too long")]
    Timeout,
}

/// What it means to the caller that a statement stopped.
fn classify(stopped: Stopped) -> RunError {
    match stopped {
        Stopped::Value(misfit) => RunError::value(misfit),
        Stopped::Database(mysql_async::Error::Server(refusal)) => meaning(refusal),
        Stopped::Database(error @ (mysql_async::Error::Io(_) | mysql_async::Error::Driver(_))) => {
            RunError::unreachable(error)
        }
        Stopped::Database(other) => RunError::database(other),
    }
}

/// What the server's refusal of a statement means to the caller.
pub(crate) fn meaning(refusal: ServerError) -> RunError {
    match refusal.code {
        // Killed, by its own time limit or by an administrator.
        1317 | 1969 | 3024 => RunError::timeout(),
        // A lock that was not to be had, a deadlock, a row that changed since it was read.
        1205 | 1213 | 1020 => RunError::busy(refusal),
        // Too many connections, a server that stops.
        1040 | 1203 | 1226 | 1053 | 1077 | 1079 | 1927 => RunError::unreachable(refusal),
        // Data that does not fit, text in characters the column has not.
        1264 | 1265 | 1267 | 1292 | 1300 | 1366 | 1406 | 1411 | 1525 | 1690 | 3988 => {
            RunError::value(refusal)
        }
        _ => RunError::database(refusal),
    }
}

impl server::Stopped for Stopped {
    fn is_over(&self) -> bool {
        match self {
            Self::Database(error) => !error.is_fatal(),
            // It was never sent.
            Self::Value(_) => true,
        }
    }

    fn meaning(self) -> RunError {
        classify(self)
    }
}

impl From<mysql_async::Error> for Unanswered<Stopped> {
    fn from(error: mysql_async::Error) -> Self {
        Stopped::from(error).into()
    }
}

impl From<Stopped> for Refused {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Database(mysql_async::Error::Server(refusal)) => {
                Self::Server(Box::new(refusal))
            }
            other => classify(other).into(),
        }
    }
}

impl From<mysql_async::Error> for Refused {
    fn from(error: mysql_async::Error) -> Self {
        Stopped::from(error).into()
    }
}

impl Refusal for ServerError {
    fn rule(&self, names: &Names) -> Option<Constraint> {
        constraint(self, names)
    }

    fn fault(&self) -> Option<Fault> {
        match self.code {
            DUPLICATE => Some(Fault::Duplicate),
            DEADLOCK => Some(Fault::Deadlock),
            FAILED => Some(Fault::Met),
            NO_TABLE => Some(Fault::NoTable),
            _ => None,
        }
    }

    fn meaning(self: Box<Self>) -> RunError {
        meaning(*self)
    }
}

/// The rule of the schema behind the server's refusal, if it is about one.
fn constraint(refusal: &ServerError, names: &Names) -> Option<Constraint> {
    let message = refusal.message.as_str();
    // As other engines call it (ISO 9075).
    let code = match refusal.code {
        1022 | 1062 | 1169 | 1586 => "23505",
        1216 | 1217 | 1451 | 1452 | 1557 | 1761 | 1762 => "23503",
        1048 | 1364 | 1138 | 1263 => "23502",
        3819 | 4025 => "23514",
        1369 => "44000",
        // A trigger that signals, what the role may not.
        1644 | 1142 | 1143 | 1227 | 1442 => "P0001",
        1264 | 1265 | 1292 | 1366 | 1406 | 1411 | 1525 | 1690 => "22000",
        _ => return None,
    };
    let (table, rule) = match code {
        "23505" => key(message, names.table()),
        "23503" => (quoted_table(message), None),
        "23514" => (
            Some(names.table()),
            after(message, &["CONSTRAINT `", "constraint '"]),
        ),
        _ => (Some(names.table()), None),
    };
    let state = SqlState {
        code,
        table,
        column: column(message),
        rule,
    };
    Constraint::from_state(&state, names)
}

/// `Duplicate entry '…' for key 'name'`, or `'table.name'`. The entry is the client's, so the end is looked at.
fn key<'text>(message: &'text str, own: &'text str) -> (Option<&'text str>, Option<&'text str>) {
    let name = message
        .rsplit_once("for key '")
        .and_then(|(_, rest)| rest.strip_suffix('\''));
    let of_own = |name: &'text str| name.strip_prefix(own)?.strip_prefix('.');
    (
        name.map(|_| own),
        name.map(|name| of_own(name).unwrap_or(name)),
    )
}

/// ``(`schema`.`table`, CONSTRAINT …``.
fn quoted_table(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("(`")?;
    let (_, rest) = rest.split_once("`.`")?;
    rest.split_once('`').map(|(table, _)| table)
}

/// `Column 'x' …`, `Field 'x' …`, `… for column 'x' at row 1` or ``… for column `s`.`t`.`x` at row 1``.
fn column(message: &str) -> Option<&str> {
    if let Some(name) = after(message, &["Column '", "Field '"])
        && (message.starts_with("Column '") || message.starts_with("Field '"))
    {
        return Some(name);
    }
    let (_, rest) = message.rsplit_once("for column ")?;
    let (name, _) = rest.rsplit_once(" at row ")?;
    let name = name.trim_matches(['\'', '`']);
    Some(name.rsplit_once("`.`").map_or(name, |(_, name)| name))
}

/// What stands behind one of these up to the next quote of the same kind.
fn after<'text>(message: &'text str, marks: &[&str]) -> Option<&'text str> {
    marks.iter().find_map(|mark| {
        let (_, rest) = message.split_once(mark)?;
        rest.split_once(&mark[mark.len() - 1..])
            .map(|(name, _)| name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_what_they_are_about() {
        assert_eq!(
            key("Duplicate entry 'a' for key 'b'' for key 'name'", "item"),
            (Some("item"), Some("name"))
        );
        assert_eq!(
            key("Duplicate entry '7' for key 'item.PRIMARY'", "item"),
            (Some("item"), Some("PRIMARY"))
        );
        let child = "Cannot add or update a child row: a foreign key constraint fails (`s`.`item`, CONSTRAINT `f` \
                     FOREIGN KEY (`kind`) REFERENCES `kind` (`id`))";
        assert_eq!(quoted_table(child), Some("item"));
        for (message, expected) in [
            ("Column 'x' cannot be null", Some("x")),
            ("Field 'x' doesn't have a default value", Some("x")),
            ("Data too long for column 'x' at row 1", Some("x")),
            (
                "Incorrect integer value: 'for column 'y'' for column `s`.`t`.`x` at row 1",
                Some("x"),
            ),
            ("Lock wait timeout exceeded", None),
        ] {
            assert_eq!(column(message), expected, "{message}");
        }
        let check = "CONSTRAINT `positive` failed for `s`.`item`";
        let marks = ["CONSTRAINT `", "constraint '"];
        assert_eq!(after(check, &marks), Some("positive"));
        let check = "Check constraint 'positive' is violated.";
        assert_eq!(after(check, &marks), Some("positive"));
    }
}
