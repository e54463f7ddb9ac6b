//! What is sent to run a statement.

use std::io;

use bytes::BytesMut;
use postgres_protocol::IsNull;
use postgres_protocol::message::frontend::{self, BindError};
use tokio_postgres::types::{self, ToSql as _, Type};

use crate::postgres::parameter::Parameter;
use crate::statement::Value;

/// Whether the server knows a statement already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name<'a> {
    /// By this name.
    Known(&'a str),
    /// Not yet: it is to have this name; an empty one is forgotten at the next statement.
    New(&'a str),
}

/// Writes the messages that run `sql` once, and say where its answer ends. Its rows come in binary.
///
/// # Errors
/// When it cannot be written: the text holds a zero byte, or there are more values than the protocol has numbers for.
pub(super) fn run(
    name: Name<'_>,
    sql: &str,
    values: &[Value],
    out: &mut BytesMut,
) -> io::Result<()> {
    let (Name::Known(own) | Name::New(own)) = name;
    if let Name::New(_) = name {
        let texts = values.iter().map(|_| Type::TEXT.oid());
        frontend::parse(own, sql, texts, out)?;
        frontend::describe(b'S', own, out)?;
    }
    let as_text = |value: &Value, out: &mut BytesMut| {
        Parameter(value)
            .to_sql(&Type::TEXT, out)
            .map(|is_null| match is_null {
                types::IsNull::Yes => IsNull::Yes,
                types::IsNull::No => IsNull::No,
            })
    };
    // No format given: values are text.
    frontend::bind("", own, [], values, as_text, [1], out).map_err(|error| match error {
        BindError::Serialization(error) => error,
        BindError::Conversion(error) => io::Error::other(error),
    })?;
    frontend::execute("", 0, out)?;
    frontend::sync(out);
    Ok(())
}

/// Writes that a statement is not needed any more.
pub(super) fn forget(name: &str, out: &mut BytesMut) -> io::Result<()> {
    frontend::close(b'S', name, out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kinds of the messages, in order.
    fn kinds(out: &[u8]) -> String {
        let (mut kinds, mut rest) = (String::new(), out);
        while let Some((head, _)) = rest.split_first_chunk::<5>() {
            kinds.push(char::from(head[0]));
            let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
            rest = &rest[1 + usize::try_from(length).expect("small")..];
        }
        kinds
    }

    #[test]
    fn a_known_statement_is_only_bound() {
        let check = |name: Name<'_>, expected: &str| {
            let mut out = BytesMut::new();
            run(name, "SELECT $1", &[Value::Integer(5)], &mut out).expect("written");
            assert_eq!(kinds(&out), expected, "{name:?}");
        };
        check(Name::Known("p1"), "BES");
        check(Name::New("p1"), "PDBES");
        check(Name::New(""), "PDBES");
    }

    #[test]
    fn a_text_with_a_zero_byte_is_refused() {
        let mut out = BytesMut::new();
        assert!(run(Name::New(""), "SELECT '\0'", &[], &mut out).is_err());
    }
}
