//! From the start of a process to its first answer, memory when idle, and the size of the binary.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::contender::{Cache, Data, express, node, ours, pocketbase};
use crate::options::Options;
use crate::results::Results;
use crate::server::{Server, free_address};
use crate::{Outcome, places};

/// Starts of each, in each run.
const STARTS: usize = 5;

/// Bytes in a MiB.
const MIB: f64 = 1024.0 * 1024.0;

/// Measures them.
pub(crate) fn measure(data: &Data, options: &Options, results: &mut Results) -> Outcome<()> {
    for _ in 0..options.runs * STARTS {
        let server = ours_on_shop(data)?;
        results.figure("cold start, Paceline, ms", milliseconds(server.started_in));
        drop(server);
        let address = free_address()?;
        let server = Server::start(
            node("handler.js").env("PORT", address.port().to_string()),
            address,
            "/",
        )?;
        results.figure(
            "cold start, a Node handler, ms",
            milliseconds(server.started_in),
        );
    }
    idle(
        "idle memory, Paceline demo, MiB",
        &ours(data, Cache::On)?,
        results,
    );
    idle("idle memory, Express, MiB", &express(data, None)?, results);
    idle("idle memory, PocketBase, MiB", &pocketbase(data)?, results);
    results.figure("size of the binary, MiB", size(&places::paceline())?);
    Ok(())
}

/// What a user starts: an existing file, no configuration.
fn ours_on_shop(data: &Data) -> Outcome<Server> {
    let address = free_address()?;
    let mut command = Command::new(places::paceline());
    command
        .arg("serve")
        .arg(format!("sqlite:{}", data.shop.display()))
        .arg("--listen")
        .arg(address.to_string());
    Server::start(&mut command, address, "/api/users/1")
}

fn idle(name: &str, server: &Server, results: &mut Results) {
    std::thread::sleep(Duration::from_secs(2));
    results.figure(name, mebibytes(server.resident()));
}

fn size(path: &Path) -> Outcome<f64> {
    let data = std::fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(mebibytes(data.len()))
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// In MiB.
#[allow(clippy::cast_precision_loss, reason = "sizes are far below 2^52 bytes")]
pub(crate) fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / MIB
}
