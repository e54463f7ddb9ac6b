//! The rows about `PostgreSQL`: ours with table versions and without a cache, the Express tutorial on `pg`, what can be
//! written by hand, pgbench and `COPY`, all on one private server.

mod export;
pub(crate) mod handler;
mod pgbench;
mod shop;

use std::path::Path;
use std::process::Command;

use crate::contender::{Cache, constant_in, node};
use crate::load::Request;
use crate::options::Options;
use crate::results::Results;
use crate::rows::{Entry, Row, entry, row, run};
use crate::server::{Server, free_address};
use crate::{Outcome, places};
use shop::CONNECTIONS;

/// What the names of these rows begin with; also the name of all of them.
pub(crate) const GROUP: &str = "postgres";

const PAGE_1: &str = "/api/posts?page=1&limit=20";
const PAGE_2000: &str = "/api/posts?page=2000&limit=20";

/// All who are asked.
struct Servers {
    cached: Server,
    uncached: Server,
    express: Server,
    handler: Server,
    constant: Server,
}

/// Measures those that were asked for.
pub(crate) fn measure(options: &Options, results: &mut Results) -> Outcome<()> {
    if !options.wants_postgres() {
        return Ok(());
    }
    let options = &options.with_group(GROUP);
    let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    let (cluster, database) = shop::start(options.export_rows);
    let url = cluster.url(&database);
    install(&url)?;
    if options.wants("postgres-export") {
        let serve = || ours(folder.path(), &url, Cache::On);
        let express = || express(&url);
        export::measure(&cluster, &database, (&serve, &express), options, results)?;
    }
    let cached = ours(folder.path(), &url, Cache::On)?;
    let servers = Servers {
        constant: constant_in(folder.path(), &cached, PAGE_1)?,
        cached,
        uncached: ours(folder.path(), &url, Cache::Off)?,
        express: express(&url)?,
        handler: handler(&url)?,
    };
    run(
        &unchanged(&servers, "postgres-list", PAGE_1, "/page/1"),
        options,
        results,
    )?;
    let deep = unchanged(&servers, "postgres-page-2000", PAGE_2000, "/page/2000");
    run(&deep, options, results)?;
    run(&new(&servers), options, results)?;
    if options.wants("postgres-list-new") {
        let statement = pgbench::statement(&url)?;
        for _ in 0..options.runs {
            let rate = pgbench::rate(&cluster, &database, &statement, options.seconds)?;
            results.figure("postgres, list never asked before, pgbench, a second", rate);
        }
    }
    run(&object(&servers), options, results)
}

/// A page with its total that nobody changes.
fn unchanged<'a>(servers: &'a Servers, name: &'static str, path: &str, handler: &str) -> Row<'a> {
    row(
        name,
        vec![
            entry("Paceline", &servers.cached, Request::get(path)),
            entry("Express", &servers.express, Request::get(path)),
            entry("json_agg by hand", &servers.handler, Request::get(handler)),
            entry("constant route", &servers.constant, Request::get("/plain")),
        ],
    )
}

/// Pages nobody asked for before, not counted.
fn new(servers: &Servers) -> Row<'_> {
    let ours = "/api/posts?id[gt]={n}&limit=20&count=none";
    row(
        "postgres-list-new",
        vec![
            entry("Paceline, cache off", &servers.uncached, Request::get(ours)),
            entry(
                "json_agg by hand",
                &servers.handler,
                Request::get("/after/{n}"),
            ),
            entry(
                "Express",
                &servers.express,
                Request::get("/api/posts-after/{n}"),
            ),
        ],
    )
}

/// One row, another one each time: equal requests at the same moment would share one query.
fn object(servers: &Servers) -> Row<'_> {
    let of =
        |contender, server, path| -> Entry<'_> { entry(contender, server, Request::get(path)) };
    row(
        "postgres-object",
        vec![
            of("Paceline, cache off", &servers.uncached, "/api/posts/{n}"),
            of("by hand", &servers.handler, "/posts/{n}"),
            of("Express", &servers.express, "/api/posts/{n}"),
        ],
    )
}

fn install(url: &str) -> Outcome<()> {
    let output = Command::new(places::paceline())
        .args(["migrate", "install-versions", url, "--yes"])
        .output()
        .map_err(|error| format!("paceline migrate: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let problem = String::from_utf8_lossy(&output.stderr);
    Err(format!("paceline migrate: {problem}"))
}

fn ours(folder: &Path, url: &str, cache: Cache) -> Outcome<Server> {
    let (name, size) = match cache {
        Cache::On => ("postgres.toml", "64MiB"),
        Cache::Off => ("postgres-without-cache.toml", "0B"),
    };
    let address = free_address()?;
    let text = format!(
        "[server]\nlisten = \"{address}\"\nadmin_listen = \"off\"\n[database]\nurl = \"{url}\"\n\
         [pool]\nsize = {CONNECTIONS}\n[cache]\nsize = \"{size}\"\n"
    );
    let path = folder.join(name);
    std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut command = Command::new(places::paceline());
    command.arg("serve").arg("--config").arg(&path);
    Server::start(&mut command, address, "/health/ready")
}

fn express(url: &str) -> Outcome<Server> {
    let address = free_address()?;
    let mut command = node("postgres.js");
    command
        .env("PORT", address.port().to_string())
        .env("DATABASE_URL", url)
        .env("CONNECTIONS", CONNECTIONS.to_string());
    Server::start(&mut command, address, "/noop")
}

fn handler(url: &str) -> Outcome<Server> {
    let address = free_address()?;
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command
        .arg("postgres-handler")
        .arg(address.to_string())
        .arg(url)
        .arg(CONNECTIONS.to_string());
    Server::start(&mut command, address, "/noop")
}
