//! What a server says when it refuses a statement.

use std::fmt;
use std::io;

use postgres_protocol::message::backend::ErrorResponseBody;
use tokio_postgres::fallible_iterator::FallibleIterator as _;

/// A part of a refusal, by what it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// What is wrong, in a sentence.
    Message,
    /// The SQLSTATE.
    Code,
    /// `ERROR`, `FATAL`.
    Severity,
    /// More of what is wrong.
    Detail,
    /// What to do.
    Hint,
    /// Where in the statement, a number of characters from 1.
    Position,
    /// Where in a statement that the server made itself.
    InternalPosition,
    /// That statement.
    InternalQuery,
    /// In which functions.
    Where,
    /// The schema.
    Schema,
    /// The table.
    Table,
    /// The column.
    Column,
    /// The type.
    DataType,
    /// The constraint.
    Constraint,
    /// Where in the server's sources.
    File,
    /// The line there.
    Line,
    /// The function there.
    Routine,
}

impl Part {
    /// The letter that stands for it in the protocol.
    fn letter(self) -> u8 {
        match self {
            Self::Message => b'M',
            Self::Code => b'C',
            Self::Severity => b'S',
            Self::Detail => b'D',
            Self::Hint => b'H',
            Self::Position => b'P',
            Self::InternalPosition => b'p',
            Self::InternalQuery => b'q',
            Self::Where => b'W',
            Self::Schema => b's',
            Self::Table => b't',
            Self::Column => b'c',
            Self::DataType => b'd',
            Self::Constraint => b'n',
            Self::File => b'F',
            Self::Line => b'L',
            Self::Routine => b'R',
        }
    }
}

/// The server refused a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal(Vec<(u8, String)>);

impl Refusal {
    pub(in crate::postgres) fn read(body: &ErrorResponseBody) -> io::Result<Self> {
        let mut parts = Vec::new();
        let mut fields = body.fields();
        while let Some(field) = fields.next()? {
            let value = String::from_utf8_lossy(field.value_bytes()).into_owned();
            parts.push((field.type_(), value));
        }
        Ok(Self(parts))
    }

    /// One of our own, in the form of the server's.
    pub(super) fn ours(code: &str, message: &str) -> Self {
        Self(vec![
            (b'S', "ERROR".to_owned()),
            (b'C', code.to_owned()),
            (b'M', message.to_owned()),
        ])
    }

    /// One part of it, where it was said.
    pub fn part(&self, part: Part) -> Option<&str> {
        let letter = part.letter();
        let found = self.0.iter().find(|(own, _)| *own == letter);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether the server ends the session with it.
    pub(super) fn is_fatal(&self) -> bool {
        matches!(self.part(Part::Severity), Some("FATAL" | "PANIC"))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = self.part(Part::Message).unwrap_or_default();
        let code = self.part(Part::Code).unwrap_or_default();
        write!(f, "{message} ({code})")
    }
}

impl std::error::Error for Refusal {}
