//! The table, and what a write stores in it.

use paceline_data::write::{Told, Transaction, WriteError};
use paceline_data::{Database, SqlDialect, Statement, Value};
use paceline_jobs::OutboxEntry;

/// Makes the table, on each engine. That of SQLite is the one of `paceline_jobs::Outbox`.
///
/// Where several servers may move jobs, `claimed_until` says until when one is left to whoever took it, in
/// milliseconds since 1970 by the database's clock.
pub(crate) fn schema(dialect: SqlDialect) -> &'static [&'static str] {
    match dialect {
        SqlDialect::Postgres => &[
            "CREATE TABLE IF NOT EXISTS paceline_outbox (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, \
             id text NOT NULL, queue text NOT NULL, name text NOT NULL, data text NOT NULL, options text NOT NULL, \
             created_at bigint NOT NULL, refused text, claimed_until bigint)",
            "ALTER TABLE paceline_outbox ADD COLUMN IF NOT EXISTS claimed_until bigint",
            "CREATE INDEX IF NOT EXISTS paceline_outbox_open ON paceline_outbox (seq) WHERE refused IS NULL",
        ],
        // Names are compared by their bytes, whatever the database's collation; rows are read in the order of the key.
        SqlDialect::MySql(_) => &[
            "CREATE TABLE IF NOT EXISTS paceline_outbox (seq bigint AUTO_INCREMENT PRIMARY KEY, id text NOT NULL, \
             queue text NOT NULL, name text NOT NULL, data longtext NOT NULL, options text NOT NULL, \
             created_at bigint NOT NULL, refused text, claimed_until bigint) \
             ENGINE = InnoDB, CHARACTER SET utf8mb4, COLLATE utf8mb4_bin",
        ],
        _ => &[
            "CREATE TABLE IF NOT EXISTS paceline_outbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, \
             queue TEXT NOT NULL, name TEXT NOT NULL, data TEXT NOT NULL, options TEXT NOT NULL, \
             created_at INTEGER NOT NULL, refused TEXT) STRICT",
            "CREATE INDEX IF NOT EXISTS paceline_outbox_open ON paceline_outbox (seq) WHERE refused IS NULL",
        ],
    }
}

/// Makes the table where that may be done without asking, and says whether it is there.
///
/// # Errors
/// [`WriteError::NoTable`] where it is not, or is one of an earlier version.
pub(in crate::server) async fn prepare(database: &Database) -> Result<(), WriteError> {
    database
        .transact(|transaction| {
            let dialect = transaction.dialect();
            if dialect == SqlDialect::Sqlite {
                for sql in schema(dialect) {
                    run(transaction, sql, Vec::new())?;
                }
            }
            let look = "SELECT seq FROM paceline_outbox LIMIT 1";
            run(transaction, look, Vec::new())?;
            if dialect == SqlDialect::Sqlite {
                return Ok(());
            }
            let look = "SELECT claimed_until FROM paceline_outbox LIMIT 1";
            let found = run(transaction, look, Vec::new());
            found.map(drop).map_err(|_| WriteError::NoTable)
        })
        .await
}

/// Stores a job in a transaction.
pub(in crate::server) fn put(
    transaction: &mut dyn Transaction,
    entry: OutboxEntry,
) -> Result<(), WriteError> {
    let sql = match transaction.dialect() {
        SqlDialect::Postgres => {
            "INSERT INTO paceline_outbox (id, queue, name, data, options, created_at) \
             VALUES ($1::text, $2::text, $3::text, $4::text, $5::text, $6::int8)"
        }
        _ => {
            "INSERT INTO paceline_outbox (id, queue, name, data, options, created_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
        }
    };
    let texts = [entry.id, entry.queue, entry.name, entry.data, entry.options];
    let mut values: Vec<Value> = texts.into_iter().map(Value::Text).collect();
    values.push(Value::Integer(entry.created_at));
    run(transaction, sql, values).map(drop)
}

pub(super) fn run(
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
