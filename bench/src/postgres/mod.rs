//! The rows about `PostgreSQL`: ours with table versions and without a cache, the Express tutorial on `pg`, what can be
//! written by hand, pgbench and `COPY`, all on one private server.

mod export;
pub(crate) mod handler;
mod pgbench;
mod shop;

use std::process::Command;

use crate::contender::{Cache, by_hand, constant_in, express_on_server, ours_on_server};
use crate::load::Request;
use crate::options::Options;
use crate::results::Results;
use crate::rows::{Entry, Row, entry, row, run};
use crate::server::Server;
use crate::{Outcome, places};

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
    if !options.wants_group(GROUP) {
        return Ok(());
    }
    let options = &options.with_group(GROUP);
    let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    let (cluster, database) = shop::start(options.export_rows);
    let url = cluster.url(&database);
    install(&url)?;
    if options.wants("postgres-export") {
        let serve = || ours_on_server(folder.path(), &url, Cache::On);
        let express = || express_on_server("postgres.js", &url);
        export::measure(&cluster, &database, (&serve, &express), options, results)?;
    }
    let cached = ours_on_server(folder.path(), &url, Cache::On)?;
    let servers = Servers {
        constant: constant_in(folder.path(), &cached, PAGE_1)?,
        cached,
        uncached: ours_on_server(folder.path(), &url, Cache::Off)?,
        express: express_on_server("postgres.js", &url)?,
        handler: by_hand("postgres-handler", &url)?,
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
