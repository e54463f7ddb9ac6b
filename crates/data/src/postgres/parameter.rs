//! Values on their way to the server.

use std::error::Error;
use std::fmt::Write as _;

use bytes::BytesMut;
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};

use crate::statement::Value;

/// A value in the text the server reads it from. Every placeholder has the type text, and the statement says what
/// it is to become: so no type is looked up, and each value means the same in every mode and through every pooler.
#[derive(Debug)]
pub(super) struct Parameter<'value>(pub(super) &'value Value);

impl ToSql for Parameter<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self.0 {
            Value::Null => return Ok(IsNull::Yes),
            Value::Integer(number) => {
                out.extend_from_slice(itoa::Buffer::new().format(*number).as_bytes());
            }
            // `inf` and `NaN` are read by the server too.
            Value::Real(number) => write!(out, "{number}")?,
            Value::Text(text) => out.extend_from_slice(text.as_bytes()),
            Value::RawText(bytes) => out.extend_from_slice(bytes),
            Value::Blob(bytes) => {
                out.extend_from_slice(b"\\x");
                for byte in bytes {
                    write!(out, "{byte:02x}")?;
                }
            }
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_what_the_server_reads() {
        let check = |value: Value, expected: &str| {
            let mut out = BytesMut::new();
            let null = Parameter(&value).to_sql(&Type::TEXT, &mut out).unwrap();
            assert!(matches!(null, IsNull::No));
            assert_eq!(out, expected.as_bytes());
        };
        check(Value::Integer(i64::MIN), "-9223372036854775808");
        check(Value::Real(0.1), "0.1");
        check(Value::Real(1e300), &format!("1{}", "0".repeat(300)));
        check(Value::Text("'; --".to_owned()), "'; --");
        check(Value::Blob(vec![0, 255]), "\\x00ff");
        let mut out = BytesMut::new();
        let null = Parameter(&Value::Null).to_sql(&Type::TEXT, &mut out);
        assert!(matches!(null.unwrap(), IsNull::Yes));
    }
}
