//! A table of many rows as one JSON array, beside what `COPY` takes to bring them over.

use std::time::Instant;

use futures_util::TryStreamExt as _;
use paceline_test_servers::Postgres;
use tokio_postgres::NoTls;

use crate::Outcome;
use crate::export::one;
use crate::options::Options;
use crate::results::Results;
use crate::server::Server;

/// What the names of the figures begin with.
const GROUP: &str = "postgres export";

const COPY: &str = "COPY (SELECT id, name, email, created_at FROM people ORDER BY id) TO STDOUT";

/// Starts a contender.
type Start<'a> = &'a dyn Fn() -> Outcome<Server>;

/// Measures each once a run, in turns, the servers each time in a fresh process.
pub(super) fn measure(
    cluster: &Postgres,
    database: &str,
    (ours, express): (Start<'_>, Start<'_>),
    options: &Options,
    results: &mut Results,
) -> Outcome<()> {
    let url = cluster.url(database);
    for _ in 0..options.runs {
        one(GROUP, "Paceline", &ours()?, "/api/export/people", results)?;
        one(GROUP, "Express", &express()?, "/api/export", results)?;
        let seconds = copy(&url).map_err(|error| format!("COPY: {error}"))?;
        results.figure("postgres export, in all, COPY TO STDOUT, s", seconds);
    }
    Ok(())
}

/// How many seconds the rows take as text, dropped as they come.
fn copy(url: &str) -> Result<f64, Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(connection);
        let began = Instant::now();
        let mut rows = std::pin::pin!(client.copy_out(COPY).await?);
        while rows.try_next().await?.is_some() {}
        Ok(began.elapsed().as_secs_f64())
    })
}
