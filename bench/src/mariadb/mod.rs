//! The rows about `MariaDB`: ours with and without a cache, the Express tutorial on `mysql2`, and what can be written by
//! hand on the driver that we use, all on one private server.

mod export;
pub(crate) mod handler;
mod shop;

use crate::Outcome;
use crate::contender::{Cache, by_hand, constant_in, express_on_server, ours_on_server};
use crate::load::Request;
use crate::options::Options;
use crate::results::Results;
use crate::rows::{Row, entry, row, run};
use crate::server::Server;

/// What the names of these rows begin with; also the name of all of them.
pub(crate) const GROUP: &str = "mariadb";

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
    let (server, database) = shop::start(options.export_rows);
    let url = server.url(&database);
    let express = || express_on_server("mariadb.js", &url);
    if options.wants("mariadb-export") {
        let serve = || ours_on_server(folder.path(), &url, Cache::On);
        export::measure(&url, (&serve, &express), options, results)?;
    }
    let cached = ours_on_server(folder.path(), &url, Cache::On)?;
    let servers = Servers {
        constant: constant_in(folder.path(), &cached, PAGE_1)?,
        cached,
        uncached: ours_on_server(folder.path(), &url, Cache::Off)?,
        express: express()?,
        handler: by_hand("mariadb-handler", &url)?,
    };
    let rows = [
        unchanged(&servers, "mariadb-list", PAGE_1, "/page-gathered/1"),
        unchanged(
            &servers,
            "mariadb-page-2000",
            PAGE_2000,
            "/page-gathered/2000",
        ),
        new(&servers),
        object(&servers),
    ];
    rows.iter().try_for_each(|row| run(row, options, results))
}

/// A page with its total that nobody changes.
fn unchanged<'a>(servers: &'a Servers, name: &'static str, path: &str, gathered: &str) -> Row<'a> {
    row(
        name,
        vec![
            entry("Paceline", &servers.cached, Request::get(path)),
            entry("Express", &servers.express, Request::get(path)),
            entry(
                "JSON_ARRAYAGG by hand",
                &servers.handler,
                Request::get(gathered),
            ),
            entry("constant route", &servers.constant, Request::get("/plain")),
        ],
    )
}

/// Pages nobody asked for before, not counted.
fn new(servers: &Servers) -> Row<'_> {
    let ours = "/api/posts?id[gt]={n}&limit=20&count=none";
    row(
        "mariadb-list-new",
        vec![
            entry("Paceline, cache off", &servers.uncached, Request::get(ours)),
            entry("by hand", &servers.handler, Request::get("/after/{n}")),
            entry(
                "JSON_ARRAYAGG by hand",
                &servers.handler,
                Request::get("/after-gathered/{n}"),
            ),
            entry(
                "Express",
                &servers.express,
                Request::get("/api/posts-after/{n}"),
            ),
        ],
    )
}

/// One row, another one each time.
fn object(servers: &Servers) -> Row<'_> {
    row(
        "mariadb-object",
        vec![
            entry(
                "Paceline, cache off",
                &servers.uncached,
                Request::get("/api/posts/{n}"),
            ),
            entry("by hand", &servers.handler, Request::get("/posts/{n}")),
            entry("Express", &servers.express, Request::get("/api/posts/{n}")),
        ],
    )
}
