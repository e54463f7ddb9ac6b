//! A table of many rows as one JSON array, beside what `COPY` takes to bring them over.

use std::time::Instant;

use futures_util::TryStreamExt as _;
use paceline_test_servers::Postgres;
use tokio_postgres::NoTls;

use crate::Outcome;
use crate::http::drain;
use crate::options::Options;
use crate::results::Results;
use crate::server::Server;
use crate::startup::mebibytes;

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
        one("Paceline", &ours()?, "/api/export/people", results)?;
        one("Express", &express()?, "/api/export", results)?;
        let seconds = copy(&url).map_err(|error| format!("COPY: {error}"))?;
        results.figure("postgres export, in all, COPY TO STDOUT, s", seconds);
    }
    Ok(())
}

fn one(name: &str, server: &Server, path: &str, results: &mut Results) -> Outcome<()> {
    let answer = drain(server.address, path).map_err(|error| format!("{name} {path}: {error}"))?;
    if answer.status != 200 {
        return Err(format!("{name} {path} answered {}", answer.status));
    }
    for (part, value) in [
        ("first byte", answer.first_byte.as_secs_f64() * 1e3),
        ("in all", answer.total.as_secs_f64()),
        ("size", mebibytes(answer.length)),
        ("peak memory", mebibytes(server.peak_resident())),
    ] {
        let unit = match part {
            "first byte" => "ms",
            "in all" => "s",
            _ => "MiB",
        };
        results.figure(&format!("postgres export, {part}, {name}, {unit}"), value);
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
