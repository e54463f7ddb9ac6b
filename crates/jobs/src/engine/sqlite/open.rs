//! Opening the file: what is refused, and how each connection is set.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, params};

use super::SqliteOptions;
use super::network_fs::network_kind;
use super::process::ProcessIdentity;
use super::schema;
use super::writer::is_busy;
use crate::error::{EngineError, OpenError};

/// The first SQLite without the bug that can lose pages when several connections write and checkpoint.
const OLDEST_SQLITE: i32 = 3_051_003;
/// WAL pages after which a commit moves them into the main file.
const CHECKPOINT_PAGES: i64 = 4_000;

/// The connections of one engine.
pub(super) struct Connections {
    pub(super) writer: Connection,
    pub(super) readers: Vec<Connection>,
    pub(super) watcher: Connection,
    pub(super) process: i64,
}

pub(super) fn open(
    options: &SqliteOptions,
    identity: &ProcessIdentity,
) -> Result<Connections, OpenError> {
    let path = options.path.as_path();
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(OpenError::SqliteTooOld {
            found: rusqlite::version(),
        });
    }
    if let Some(kind) = network_kind(path) {
        return Err(OpenError::NetworkFileSystem {
            path: path.to_owned(),
            kind,
        });
    }
    let storage = |source: EngineError| OpenError::Storage {
        path: path.to_owned(),
        source,
    };
    let mut writer = Connection::open(path).map_err(|error| storage(error.into()))?;
    if writer
        .is_readonly("main")
        .map_err(|error| storage(error.into()))?
    {
        return Err(OpenError::ReadOnly {
            path: path.to_owned(),
        });
    }
    set_up(&writer, options).map_err(|error| storage(error.into()))?;
    schema::prepare(&mut writer, path, options.shared)?;
    let process = register(&writer, identity).map_err(|error| storage(error.into()))?;
    // From here on the writer waits for the lock in its own way.
    writer
        .busy_timeout(Duration::ZERO)
        .map_err(|error| storage(error.into()))?;
    let reader = || open_reader(path).map_err(|error| storage(error.into()));
    Ok(Connections {
        writer,
        readers: (0..options.readers.max(1))
            .map(|_| reader())
            .collect::<Result<_, _>>()?,
        watcher: reader()?,
        process,
    })
}

fn set_up(connection: &Connection, options: &SqliteOptions) -> rusqlite::Result<()> {
    connection.busy_timeout(options.busy_bound)?;
    connection.set_prepared_statement_cache_capacity(64);
    set_wal(connection, options.busy_bound)?;
    connection.execute_batch(options.durability.pragma())?;
    one_plan_a_text(connection)?;
    // Else what a savepoint would undo goes to a file on the disk.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    if let Some(bytes) = options.max_size {
        let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let pages = i64::try_from(bytes).unwrap_or(i64::MAX) / page.max(1);
        connection.pragma_update(None, "max_page_count", pages)?;
    }
    if cfg!(target_os = "macos") {
        // fsync alone leaves the data in the drive's cache there.
        connection.pragma_update(None, "fullfsync", true)?;
        connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    }
    Ok(())
}

/// Else each new value bound in a condition has its statement compiled again.
fn one_plan_a_text(connection: &Connection) -> rusqlite::Result<()> {
    let setting = DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG;
    connection.set_db_config(setting, true).map(drop)
}

/// Changing the journal mode does not wait for other processes by itself.
fn set_wal(connection: &Connection, bound: Duration) -> rusqlite::Result<()> {
    let started = Instant::now();
    loop {
        let mode = connection.query_row("PRAGMA journal_mode = WAL", [], |row| {
            row.get::<_, String>(0)
        });
        match mode {
            Err(error) if is_busy(&error) && started.elapsed() < bound => {
                std::thread::sleep(Duration::from_millis(2));
            }
            other => return other.map(drop),
        }
    }
}

fn register(connection: &Connection, identity: &ProcessIdentity) -> rusqlite::Result<i64> {
    connection.execute(
        "INSERT INTO paceline_processes (host, boot, pids, pid, started) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            identity.host,
            identity.boot,
            identity.pids,
            identity.pid,
            identity.started
        ],
    )?;
    Ok(connection.last_insert_rowid())
}

fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "query_only", true)?;
    one_plan_a_text(&connection)?;
    Ok(connection)
}
