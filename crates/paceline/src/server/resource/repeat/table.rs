//! The table of answers, on each engine.

use paceline_data::write::{Told, Transaction, WriteError};
use paceline_data::{SqlDialect, Statement, Value};

use super::super::reply::Reply;
use crate::server::skip_locked::SKIP_LOCKED;

/// Answers whose time is over that are removed with each new one: more than one, so that they become fewer.
const REMOVED: usize = 16;

/// Makes the table, on each engine.
pub(crate) fn schema(dialect: SqlDialect) -> &'static [&'static str] {
    match dialect {
        SqlDialect::Postgres => &[
            "CREATE TABLE IF NOT EXISTS paceline_idempotency (key text PRIMARY KEY, fingerprint text NOT NULL, \
             head text, body bytea, created_at bigint NOT NULL)",
            "CREATE INDEX IF NOT EXISTS paceline_idempotency_age ON paceline_idempotency (created_at)",
        ],
        // Both texts are digests, in hexadecimal digits.
        SqlDialect::MySql(_) => &[
            "CREATE TABLE IF NOT EXISTS paceline_idempotency (`key` varchar(64) PRIMARY KEY, \
             fingerprint varchar(64) NOT NULL, head mediumtext, body longblob, created_at bigint NOT NULL, \
             KEY paceline_idempotency_age (created_at)) \
             ENGINE = InnoDB, CHARACTER SET utf8mb4, COLLATE utf8mb4_bin",
        ],
        _ => &[
            "CREATE TABLE IF NOT EXISTS paceline_idempotency (key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, \
             head TEXT, body BLOB, created_at INTEGER NOT NULL)",
            "CREATE INDEX IF NOT EXISTS paceline_idempotency_age ON paceline_idempotency (created_at)",
        ],
    }
}

/// Claims a key until the end of the transaction, after which it is there for good or never was; `false` when its
/// answer is there already. An answer from before `oldest` is none. Waits for whoever else has claimed it.
pub(super) fn claim(
    transaction: &mut dyn Transaction,
    (key, fingerprint): (&str, &str),
    (now, oldest): (i64, i64),
) -> Result<bool, WriteError> {
    let dialect = transaction.dialect();
    if dialect == SqlDialect::Sqlite {
        for sql in schema(dialect) {
            run(transaction, sql, Vec::new())?;
        }
    }
    let values = vec![
        text(key),
        text(fingerprint),
        Value::Integer(now),
        Value::Integer(oldest),
    ];
    let sql = match dialect {
        SqlDialect::Postgres => {
            "INSERT INTO paceline_idempotency AS held (key, fingerprint, created_at) \
             VALUES ($1::text, $2::text, $3::int8) ON CONFLICT (key) DO UPDATE SET \
             fingerprint = excluded.fingerprint, created_at = excluded.created_at, head = NULL, body = NULL \
             WHERE held.created_at < $4::int8 RETURNING 1"
        }
        SqlDialect::MySql(_) => {
            // Assigned from left to right: the time comes last. Whose the row is, is asked for afterwards: only the
            // row of this transaction has no answer.
            let sql = "INSERT INTO paceline_idempotency (`key`, fingerprint, created_at) VALUES (?1, ?2, ?3) \
                 ON DUPLICATE KEY UPDATE fingerprint = IF(created_at < ?4, VALUES(fingerprint), fingerprint), \
                 head = IF(created_at < ?4, NULL, head), body = IF(created_at < ?4, NULL, body), \
                 created_at = IF(created_at < ?4, VALUES(created_at), created_at)";
            run(transaction, sql, values)?;
            let sql =
                "SELECT 1 FROM paceline_idempotency WHERE `key` = ?1 AND head IS NULL FOR UPDATE";
            return Ok(!run(transaction, sql, vec![text(key)])?.is_empty());
        }
        _ => {
            "INSERT INTO paceline_idempotency AS held (key, fingerprint, created_at) VALUES (?1, ?2, ?3) \
             ON CONFLICT (key) DO UPDATE SET \
             fingerprint = excluded.fingerprint, created_at = excluded.created_at, head = NULL, body = NULL \
             WHERE held.created_at < ?4 RETURNING 1"
        }
    };
    Ok(!run(transaction, sql, values)?.is_empty())
}

/// What is stored under a key: fingerprint, head and body.
pub(super) fn stored(
    transaction: &mut dyn Transaction,
    key: &str,
) -> Result<Option<[Value; 3]>, WriteError> {
    let sql = match transaction.dialect() {
        SqlDialect::Postgres => {
            "SELECT fingerprint, head, body FROM paceline_idempotency WHERE key = $1::text"
        }
        SqlDialect::MySql(_) => {
            "SELECT fingerprint, head, body FROM paceline_idempotency WHERE `key` = ?1"
        }
        _ => "SELECT fingerprint, head, body FROM paceline_idempotency WHERE key = ?1",
    };
    let mut rows = run(transaction, sql, vec![text(key)])?;
    Ok(rows.pop().and_then(|row| row.try_into().ok()))
}

/// Stores the answer beside the write.
pub(super) fn store(
    transaction: &mut dyn Transaction,
    key: &str,
    reply: &Reply,
) -> Result<(), WriteError> {
    let sql = match transaction.dialect() {
        SqlDialect::Postgres => {
            "UPDATE paceline_idempotency SET head = $2::text, body = $3::bytea WHERE key = $1::text"
        }
        SqlDialect::MySql(_) => {
            "UPDATE paceline_idempotency SET head = ?2, body = ?3 WHERE `key` = ?1"
        }
        _ => "UPDATE paceline_idempotency SET head = ?2, body = ?3 WHERE key = ?1",
    };
    let values = vec![
        text(key),
        Value::Text(reply.head()),
        Value::Blob(reply.body.clone()),
    ];
    run(transaction, sql, values).map(drop)
}

/// Removes some answers from before `oldest`. To be done last: what is locked here is locked until the commit.
pub(super) fn remove_old(transaction: &mut dyn Transaction, oldest: i64) -> Result<(), WriteError> {
    let sql = match transaction.dialect() {
        SqlDialect::Postgres => format!(
            "DELETE FROM paceline_idempotency WHERE key IN (SELECT key FROM paceline_idempotency \
             WHERE created_at < $1::int8 ORDER BY created_at LIMIT {REMOVED} FOR UPDATE SKIP LOCKED)"
        ),
        SqlDialect::MySql(_) => return remove_on_mysql(transaction, oldest),
        _ => format!(
            "DELETE FROM paceline_idempotency WHERE key IN (SELECT key FROM paceline_idempotency \
             WHERE created_at < ?1 ORDER BY created_at LIMIT {REMOVED})"
        ),
    };
    run(transaction, &sql, vec![Value::Integer(oldest)]).map(drop)
}

/// By their keys alone: a `DELETE` that searches locks what lies beside what it finds, and waits for claims of others.
fn remove_on_mysql(transaction: &mut dyn Transaction, oldest: i64) -> Result<(), WriteError> {
    let search = format!(
        "SELECT `key` FROM paceline_idempotency WHERE created_at < ?1 ORDER BY created_at LIMIT {REMOVED}"
    );
    let old = run(transaction, &search, vec![Value::Integer(oldest)])?;
    if old.is_empty() {
        return Ok(());
    }
    let places: Vec<String> = (2..2 + REMOVED)
        .map(|number| format!("?{number}"))
        .collect();
    let among = format!("created_at < ?1 AND `key` IN ({})", places.join(", "));
    let lock =
        format!("SELECT `key` FROM paceline_idempotency WHERE {among} FOR UPDATE {SKIP_LOCKED}");
    let held = run(transaction, &lock, with_keys(oldest, old))?;
    if held.is_empty() {
        return Ok(());
    }
    let delete = format!("DELETE FROM paceline_idempotency WHERE {among}");
    run(transaction, &delete, with_keys(oldest, held)).map(drop)
}

/// The time and the keys, the last one again until they are as many as the text has places for.
fn with_keys(oldest: i64, rows: Vec<Vec<Value>>) -> Vec<Value> {
    let mut values = vec![Value::Integer(oldest)];
    values.extend(rows.into_iter().flatten().take(REMOVED));
    let last = values.last().cloned().unwrap_or(Value::Null);
    values.resize(1 + REMOVED, last);
    values
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

fn run(
    transaction: &mut dyn Transaction,
    sql: &str,
    values: Vec<Value>,
) -> Result<Vec<Vec<Value>>, WriteError> {
    let statement = Statement {
        sql: sql.into(),
        values,
    };
    transaction.rows(&statement, &Told::default())
}
