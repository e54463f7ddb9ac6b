//! Statements as the server takes them: placeholders without numbers, or none at all.

use std::fmt::Write as _;

use mysql_async::Value as Sent;

use super::bound::{Form, Misfit, sent};
use crate::statement::{Statement, Value};

/// A statement cut at its placeholders: one piece more than there are slots.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Text<'sql> {
    pieces: Vec<&'sql str>,
    slots: Vec<Slot>,
}

/// A placeholder: whose value stands there, counted from 0, and in which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Slot {
    value: usize,
    form: Form,
}

impl<'sql> Text<'sql> {
    /// Finds the placeholders of a plan's text. What stands in quotes is none.
    pub(crate) fn of(sql: &'sql str) -> Self {
        let (mut pieces, mut slots) = (Vec::new(), Vec::new());
        let (mut begin, mut quote) = (0, None);
        let mut bytes = sql.bytes().enumerate().peekable();
        while let Some((at, byte)) = bytes.next() {
            match (quote, byte) {
                (Some(mark), byte) if mark == byte => quote = None,
                (None, b'\'' | b'`') => quote = Some(byte),
                (None, b'?') => {
                    let mut number = 0;
                    let mut end = at + 1;
                    while let Some((place, digit)) =
                        bytes.next_if(|(_, byte)| byte.is_ascii_digit())
                    {
                        number = number * 10 + usize::from(digit - b'0');
                        end = place + 1;
                    }
                    let form = bytes.peek().and_then(|(_, byte)| Form::of_mark(*byte));
                    if form.is_some() {
                        bytes.next();
                        end += 1;
                    }
                    pieces.push(&sql[begin..at]);
                    slots.push(Slot {
                        // Plans count from 1.
                        value: number.saturating_sub(1),
                        form: form.unwrap_or_default(),
                    });
                    begin = end;
                }
                _ => {}
            }
        }
        pieces.push(&sql[begin..]);
        Self { pieces, slots }
    }

    /// As it is prepared.
    pub(crate) fn prepared(&self) -> String {
        self.pieces.join("?")
    }

    /// The values, in the order in which they are sent.
    pub(crate) fn values(&self, statement: &Statement) -> Result<Vec<Sent>, Misfit> {
        let slots = self.slots.iter();
        slots
            .map(|slot| {
                let value = statement.values.get(slot.value).unwrap_or(&Value::Null);
                sent(value, slot.form)
            })
            .collect()
    }

    /// With the values in it, escaped as the session reads them.
    pub(crate) fn filled(&self, values: &[Sent], no_backslash_escapes: bool) -> String {
        let mut sql = String::with_capacity(self.pieces.iter().map(|piece| piece.len() + 8).sum());
        for (index, piece) in self.pieces.iter().enumerate() {
            sql.push_str(piece);
            match values.get(index) {
                // Written out, what is very large or small would be a decimal number, and lose its digits.
                Some(Sent::Double(number)) => {
                    let _ = write!(sql, "{number:e}");
                }
                Some(value) => sql.push_str(&value.as_sql(no_backslash_escapes)),
                None => {}
            }
        }
        sql
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(sql: &str, values: &[Value]) -> Statement {
        Statement {
            sql: sql.into(),
            values: values.to_vec(),
        }
    }

    #[test]
    fn placeholders_lose_their_numbers_and_keep_their_values() {
        let statement = statement(
            "SELECT `a?1` FROM t WHERE x > ?2 OR (x = ?2 AND d = CAST(?1d AS DATE)) AND '?3' = 'it''s' LIMIT ?10",
            &[
                Value::Text("2026-01-31".to_owned()),
                Value::Integer(5),
                Value::Null,
                Value::Null,
                Value::Null,
                Value::Null,
                Value::Null,
                Value::Null,
                Value::Null,
                Value::Integer(21),
            ],
        );
        let text = Text::of(&statement.sql);
        assert_eq!(
            text.prepared(),
            "SELECT `a?1` FROM t WHERE x > ? OR (x = ? AND d = CAST(? AS DATE)) AND '?3' = 'it''s' LIMIT ?"
        );
        let values = text.values(&statement).unwrap();
        let date = Sent::Bytes(b"2026-01-31".to_vec());
        assert_eq!(values, [Sent::Int(5), Sent::Int(5), date, Sent::Int(21)]);
        assert_eq!(
            text.filled(&values, false),
            "SELECT `a?1` FROM t WHERE x > 5 OR (x = 5 AND d = CAST('2026-01-31' AS DATE)) AND '?3' = 'it''s' LIMIT 21"
        );
    }

    #[test]
    fn values_cannot_leave_their_place() {
        let check = |value: &[u8], no_backslash_escapes: bool, expected: &str| {
            let text = Text::of("SELECT ?1");
            let values = [Sent::Bytes(value.to_vec())];
            assert_eq!(
                text.filled(&values, no_backslash_escapes),
                format!("SELECT {expected}")
            );
        };
        check(b"it's", false, r"'it\'s'");
        check(b"it's", true, "'it''s'");
        check(br"\' OR 1 --", false, r"'\\\' OR 1 --'");
        check(br"\' OR 1 --", true, r"'\'' OR 1 --'");
        check(b"\xbf'", false, "0xBF27");
        check(b"", false, "''");
    }

    #[test]
    fn doubles_stay_doubles() {
        let text = Text::of("SELECT ?1, ?2");
        let values = [Sent::Double(1e-300), Sent::Double(-0.1)];
        assert_eq!(text.filled(&values, false), "SELECT 1e-300, -1e-1");
    }

    #[test]
    fn what_is_sent_is_never_cut_at_a_sign_of_a_value() {
        let statement = statement(
            "SELECT ?1, ?2",
            &[Value::Text("?2".to_owned()), Value::Integer(7)],
        );
        let text = Text::of(&statement.sql);
        let values = text.values(&statement).unwrap();
        assert_eq!(text.filled(&values, false), "SELECT '?2', 7");
    }
}
