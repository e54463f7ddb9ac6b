//! A table of many rows as one JSON array, beside what the driver takes to bring them over.

use std::time::Instant;

use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;

use super::handler::options;
use crate::Outcome;
use crate::export::one;
use crate::options::Options;
use crate::results::Results;
use crate::server::Server;

/// What the names of the figures begin with.
const GROUP: &str = "mariadb export";

const PEOPLE: &str = "SELECT id, name, email, created_at FROM people ORDER BY id";

/// Starts a contender.
type Start<'a> = &'a dyn Fn() -> Outcome<Server>;

/// Measures each once a run, in turns, the servers each time in a fresh process.
pub(super) fn measure(
    url: &str,
    (ours, express): (Start<'_>, Start<'_>),
    options: &Options,
    results: &mut Results,
) -> Outcome<()> {
    for _ in 0..options.runs {
        one(GROUP, "Paceline", &ours()?, "/api/export/people", results)?;
        one(GROUP, "Express", &express()?, "/api/export", results)?;
        let seconds = drained(url).map_err(|error| format!("{PEOPLE}: {error}"))?;
        results.figure(
            "mariadb export, in all, rows dropped by mysql_async, s",
            seconds,
        );
    }
    Ok(())
}

/// How many seconds the rows take as text, taken apart by the driver and dropped as they come.
fn drained(url: &str) -> Result<f64, Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut connection = Conn::new(options(url)?).await?;
        let began = Instant::now();
        let mut rows = connection.query_iter(PEOPLE).await?;
        rows.for_each(drop).await?;
        drop(rows);
        let seconds = began.elapsed().as_secs_f64();
        connection.disconnect().await?;
        Ok(seconds)
    })
}
