//! Statements of plans as parts of a batch. Text for text: values stay values.

use std::fmt::Write as _;
use std::time::Duration;

use crate::statement::{Statement, Value};

/// The setting that is asked for, and is not there, when a statement did not write the rows it was to write.
pub(super) const LEFT_OUT: &str = "paceline.rows_left_out";
/// The same for a row that is not what was read before.
pub(super) const CHANGED: &str = "paceline.row_changed";
/// The same for what was only tried.
pub(super) const UNDONE: &str = "paceline.rows_undone";

/// A statement, and how many values it gives of each row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written<'a> {
    pub(super) statement: &'a Statement,
    pub(super) told: usize,
    /// How many rows it has to write: with any other number of them it fails.
    pub(super) rows: usize,
    /// How many of the values, the first ones, are kept for [`of_written`]; for statements of one row.
    pub(super) key: usize,
}

impl Written<'_> {
    /// The statement with what follows from it. The first values of its rows are as they were.
    pub(super) fn wrap(self) -> Statement {
        let columns: Vec<String> = (1..=self.told).map(|number| format!("c{number}")).collect();
        let mut sql = format!(
            "WITH w({}) AS ({}), told AS (SELECT CASE WHEN count(*) = {} THEN '' ELSE current_setting('{LEFT_OUT}') END \
             AS whole FROM w) SELECT w.*",
            columns.join(", "),
            self.statement.sql,
            self.rows,
        );
        for number in 1..=self.key {
            // The mark in front keeps an empty text apart from nothing.
            let _ = write!(
                sql,
                ", set_config('{}', '=' || w.c{number}::text, true)",
                setting(number)
            );
        }
        // What is not selected is not computed.
        sql.push_str(", told.whole FROM told LEFT JOIN w ON true");
        Statement {
            sql: sql.into(),
            values: self.statement.values.clone(),
        }
    }
}

/// Where a part of the key is kept to the end of the transaction.
fn setting(number: usize) -> String {
    format!("paceline.key{number}")
}

/// A statement whose last placeholders, behind those of `values`, are the key of the row written in this transaction.
pub(super) fn of_written(sql: &str, values: Vec<Value>) -> Statement {
    let before = values.len();
    let sql = replaced(sql, |number| {
        let part = number.checked_sub(before).filter(|part| *part > 0)?;
        let setting = setting(part);
        Some(format!(
            "substr(nullif(current_setting('{setting}', true), ''), 2)"
        ))
    });
    Statement {
        sql: sql.into(),
        values,
    }
}

/// Locks the row that `read` reads, and fails where a value is not what `held` says any more.
pub(super) fn unchanged(read: &Statement, held: &[Option<String>]) -> Statement {
    let mut values = read.values.clone();
    let (mut columns, mut same) = (Vec::new(), Vec::new());
    for (number, text) in held.iter().enumerate() {
        values.push(text.clone().map_or(Value::Null, Value::Text));
        columns.push(format!("c{number}"));
        same.push(format!(
            "held.c{number}::text IS NOT DISTINCT FROM ${}::text",
            values.len()
        ));
    }
    let sql = format!(
        "WITH held({}) AS ({}) SELECT CASE WHEN {} THEN '' ELSE current_setting('{CHANGED}') END FROM held",
        columns.join(", "),
        read.sql,
        same.join(" AND "),
    );
    Statement {
        sql: sql.into(),
        values,
    }
}

/// Fails, so that everything before it is undone.
pub(super) fn undo() -> Statement {
    Statement {
        sql: format!("SELECT current_setting('{UNDONE}')").into(),
        values: Vec::new(),
    }
}

/// How long each statement that follows may take: until the end of the transaction.
pub(super) fn time_limit(time: Duration) -> Statement {
    let milliseconds = time.as_millis().max(1).to_string();
    Statement {
        sql: "SELECT set_config('statement_timeout', $1::text, true)".into(),
        values: vec![Value::Text(milliseconds)],
    }
}

/// The text with other text for placeholders, where there is any. What stands in quotes is no placeholder.
fn replaced(sql: &str, other: impl Fn(usize) -> Option<String>) -> String {
    let mut out = String::with_capacity(sql.len());
    let (mut begin, mut quote) = (0, None);
    let mut bytes = sql.bytes().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        match (quote, byte) {
            (Some(mark), byte) if mark == byte => quote = None,
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'$') => {
                let mut end = at + 1;
                while let Some((place, _)) = bytes.next_if(|(_, byte)| byte.is_ascii_digit()) {
                    end = place + 1;
                }
                let number = sql[at + 1..end].parse().ok();
                if let Some(text) = number.and_then(&other) {
                    out.push_str(&sql[begin..at]);
                    out.push_str(&text);
                    begin = end;
                }
            }
            _ => {}
        }
    }
    out.push_str(&sql[begin..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_is_replaced_and_only_outside_of_quotes() {
        let sql =
            r#"SELECT "a$2""b", '$2 ''$2' FROM t WHERE a = $1::text AND b = $2::int8 AND c = $12"#;
        let found = of_written(sql, vec![Value::Null]);
        let key = |number: usize| {
            format!("substr(nullif(current_setting('paceline.key{number}', true), ''), 2)")
        };
        let expected = format!(
            r#"SELECT "a$2""b", '$2 ''$2' FROM t WHERE a = $1::text AND b = {}::int8 AND c = {}"#,
            key(1),
            key(11)
        );
        assert_eq!(&*found.sql, expected);
        assert_eq!(found.values, [Value::Null]);
    }

    #[test]
    fn a_statement_keeps_its_values_and_tells_its_key() {
        let statement = Statement {
            sql: "DELETE FROM t WHERE a = $1 RETURNING a, b".into(),
            values: vec![Value::Integer(7)],
        };
        let written = Written {
            statement: &statement,
            told: 2,
            rows: 1,
            key: 1,
        };
        let wrapped = written.wrap();
        assert_eq!(wrapped.values, statement.values);
        let sql = "WITH w(c1, c2) AS (DELETE FROM t WHERE a = $1 RETURNING a, b), told AS (SELECT CASE WHEN count(*) = 1 \
             THEN '' ELSE current_setting('paceline.rows_left_out') END AS whole FROM w) SELECT w.*, \
             set_config('paceline.key1', '=' || w.c1::text, true), told.whole FROM told LEFT JOIN w ON true";
        assert_eq!(&*wrapped.sql, sql);
    }

    #[test]
    fn what_was_held_is_compared_behind_its_lock() {
        let read = Statement {
            sql: "SELECT a FROM t WHERE id = $1 FOR UPDATE".into(),
            values: vec![Value::Integer(7)],
        };
        let found = unchanged(&read, &[Some("{}".to_owned())]);
        let sql = "WITH held(c0) AS (SELECT a FROM t WHERE id = $1 FOR UPDATE) SELECT CASE WHEN held.c0::text IS NOT \
             DISTINCT FROM $2::text THEN '' ELSE current_setting('paceline.row_changed') END FROM held";
        assert_eq!(&*found.sql, sql);
        assert_eq!(found.values[1], Value::Text("{}".to_owned()));
    }
}
