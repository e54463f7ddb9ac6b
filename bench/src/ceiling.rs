//! What the machine and SQLite alone can do: the ceilings that the rows are seen against.

use std::io::{Seek, Write};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use crate::Outcome;
use crate::contender::Data;
use crate::results::Results;

/// How long each probe runs.
const PROBE: Duration = Duration::from_secs(2);

/// Measures them.
pub(crate) fn measure(data: &Data, results: &mut Results) -> Outcome<()> {
    let rate = queries(data).map_err(|error| format!("the query loop: {error}"))?;
    results.figure("sqlite list queries, one thread, /s", rate);
    let rate = syncs(data).map_err(|error| format!("the fsync probe: {error}"))?;
    results.figure("fsync of 4 KiB, /s", rate);
    Ok(())
}

/// A page of 20 posts at a new place each time, read and dropped.
fn queries(data: &Data) -> rusqlite::Result<f64> {
    let connection = Connection::open_with_flags(&data.shop, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut statement = connection.prepare(
        "SELECT id, user_id, title, body, created_at FROM posts WHERE id > ?1 ORDER BY id LIMIT 20",
    )?;
    let mut after = 0_i64;
    rate(|| {
        after = (after + 7919) % 99_989;
        let mut rows = statement.query([after])?;
        while let Some(row) = rows.next()? {
            std::hint::black_box(row.get_ref(3)?);
        }
        Ok(())
    })
}

/// One block written over and made durable, again and again.
fn syncs(data: &Data) -> std::io::Result<f64> {
    let mut file = std::fs::File::create(data.folder.join("fsync-probe"))?;
    rate(|| {
        file.rewind()?;
        file.write_all(&[1; 4096])?;
        file.sync_all()
    })
}

fn rate<E>(mut once: impl FnMut() -> Result<(), E>) -> Result<f64, E> {
    let (start, mut count) = (Instant::now(), 0_u32);
    while start.elapsed() < PROBE {
        once()?;
        count += 1;
    }
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}
