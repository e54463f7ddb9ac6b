//! Finding jobs: newest first, over a bounded number of them.

use rusqlite::{Connection, Row};

use super::ops::stored::state_of;
use super::read::{queue_row, snapshot_of};
use crate::engine::Search;
use crate::error::EngineError;
use crate::names::QueueName;
use crate::snapshot::{JobPage, Page};

/// How many jobs one search looks at.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    of_the_queue: usize,
    of_the_store: usize,
}

const BOUNDS: Bounds = Bounds {
    of_the_queue: 100_000,
    of_the_store: 1_000_000,
};

/// The part of the jobs that fit.
pub(super) fn search(
    connection: &Connection,
    name: &QueueName,
    search: &Search,
    page: Page,
) -> Result<JobPage, EngineError> {
    search_within(connection, name, search, page, BOUNDS)
}

fn search_within(
    connection: &Connection,
    name: &QueueName,
    search: &Search,
    page: Page,
    bounds: Bounds,
) -> Result<JobPage, EngineError> {
    let connection = connection.unchecked_transaction()?;
    let mut found = JobPage {
        jobs: Vec::new(),
        total: 0,
    };
    let Some(queue) = queue_row(&connection, name)? else {
        return Ok(found);
    };
    // Newest first is the order of the table itself, so nothing is sorted.
    let sql = "SELECT seq, queue, state, name FROM paceline_jobs ORDER BY seq DESC LIMIT ?1";
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query([i64::try_from(bounds.of_the_store).unwrap_or(i64::MAX)])?;
    let mut looked_at = 0;
    while let Some(row) = rows.next()? {
        if row.get::<_, i64>(1)? != queue.id {
            continue;
        }
        looked_at += 1;
        if looked_at > bounds.of_the_queue {
            break;
        }
        let seq = row.get(0)?;
        if !fits(row, search)? || !has_text(&connection, seq, search)? {
            continue;
        }
        if found.total >= page.offset && found.jobs.len() < page.limit {
            found
                .jobs
                .push(snapshot_of(&connection, name, queue.id, seq)?);
        }
        found.total += 1;
    }
    Ok(found)
}

fn fits(row: &Row<'_>, search: &Search) -> Result<bool, EngineError> {
    let state = state_of(row.get(2)?)?;
    if !search.states.is_empty() && !search.states.contains(&state) {
        return Ok(false);
    }
    let name = row.get_ref(3)?.as_str().unwrap_or_default();
    Ok(search.name.as_deref().is_none_or(|wanted| wanted == name))
}

fn has_text(connection: &Connection, seq: i64, search: &Search) -> Result<bool, EngineError> {
    let Some(text) = &search.text else {
        return Ok(true);
    };
    let sql = "SELECT id, failed_reason, data FROM paceline_jobs WHERE seq = ?1";
    let has = |row: &Row<'_>| -> rusqlite::Result<bool> {
        for index in 0..3 {
            let column = row.get_ref(index)?.as_str_or_null();
            if column.is_ok_and(|column| column.is_some_and(|column| column.contains(text))) {
                return Ok(true);
            }
        }
        Ok(false)
    };
    Ok(connection.prepare_cached(sql)?.query_row([seq], has)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_looks_at_a_bounded_number_of_jobs() {
        let connection = Connection::open_in_memory().unwrap();
        let jobs = "INSERT INTO paceline_queues (id, name) VALUES (1, 'a'), (2, 'b'); \
                    WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 100) \
                    INSERT INTO paceline_jobs (queue, id, name, state, priority, position, max_attempts, created_at, data) \
                    SELECT 1 + x % 2, x, 'n', 0, 0, x, 1, 0, '1' FROM n";
        connection
            .execute_batch(include_str!("schema.sql"))
            .unwrap();
        connection.execute_batch(jobs).unwrap();
        let queue = QueueName::new("a").unwrap();
        for (of_the_queue, of_the_store, found) in [(1_000, 1_000, 50), (7, 1_000, 7), (7, 10, 5)] {
            let bounds = Bounds {
                of_the_queue,
                of_the_store,
            };
            let all = Search::default();
            let page = search_within(&connection, &queue, &all, Page::default(), bounds).unwrap();
            assert_eq!(page.total, found, "{bounds:?}");
            assert_eq!(page.jobs[0].id.as_str(), "100", "the newest first");
        }
    }
}
