//! Rows that read.

use serde_json::Value;

use super::{Row, entry, row, run};
use crate::contender::{Cache, Data, constant, express, express_on, ours, pocketbase};
use crate::load::Request;
use crate::options::Options;
use crate::results::Results;
use crate::server::Server;
use crate::{Outcome, http};

/// The list that most rows are about.
const LIST: &str = "/api/posts?page=1&limit=20";

/// The collection of posts in `PocketBase`.
const POCKETBASE_POSTS: &str = "/api/collections/posts/records";

/// All that serve the shop.
struct Servers {
    cached: Server,
    uncached: Server,
    express: Server,
    express_unindexed: Server,
    pocketbase: Server,
    constant: Server,
}

/// Measures them.
pub(super) fn measure(data: &Data, options: &Options, results: &mut Results) -> Outcome<()> {
    let cached = ours(data, Cache::On)?;
    let servers = Servers {
        constant: constant(data, &cached, LIST)?,
        cached,
        uncached: ours(data, Cache::Off)?,
        express: express(data, None)?,
        express_unindexed: express_on(data, &data.unindexed_shop, None)?,
        pocketbase: pocketbase(data)?,
    };
    let rows = [
        list(&servers),
        list_gzip(&servers),
        list_new(&servers),
        page_2000(&servers)?,
        object(&servers),
        not_modified(&servers)?,
        noop(&servers),
    ];
    rows.iter().try_for_each(|row| run(row, options, results))
}

fn list(servers: &Servers) -> Row<'_> {
    row(
        "list",
        vec![
            entry("Paceline", &servers.cached, Request::get(LIST)),
            entry(
                "Express, no index but the key",
                &servers.express_unindexed,
                Request::get(LIST),
            ),
            entry("Express", &servers.express, Request::get(LIST)),
            entry(
                "PocketBase",
                &servers.pocketbase,
                Request::get(format!("{POCKETBASE_POSTS}?page=1&perPage=20")),
            ),
            entry(
                "PocketBase, no total",
                &servers.pocketbase,
                Request::get(format!("{POCKETBASE_POSTS}?page=1&perPage=20&skipTotal=1")),
            ),
            entry("constant route", &servers.constant, Request::get("/plain")),
        ],
    )
}

fn list_gzip(servers: &Servers) -> Row<'_> {
    let gzip = |path: &str| Request::get(path).header("accept-encoding", "gzip");
    row(
        "list-gzip",
        vec![
            entry("Paceline", &servers.cached, gzip(LIST)),
            entry("Express", &servers.express, gzip(LIST)),
            entry("constant route", &servers.constant, Request::get("/gzip")),
        ],
    )
}

fn list_new(servers: &Servers) -> Row<'_> {
    let filter = format!("{POCKETBASE_POSTS}?perPage=20&skipTotal=1&sort=id&filter=id%3E'{{n}}'");
    row(
        "list-new",
        vec![
            entry(
                "Paceline, cache off",
                &servers.uncached,
                Request::get("/api/posts?id[gt]={n}&limit=20&count=none"),
            ),
            entry(
                "Express",
                &servers.express,
                Request::get("/api/posts-after/{n}"),
            ),
            entry(
                "PocketBase, no total",
                &servers.pocketbase,
                Request::get(filter),
            ),
        ],
    )
}

fn page_2000(servers: &Servers) -> Outcome<Row<'_>> {
    let deep = format!(
        "/api/posts?cursor={}&limit=20&count=none",
        cursor(&servers.uncached, 1999)?
    );
    let theirs = format!("{POCKETBASE_POSTS}?page=2000&perPage=20&skipTotal=1");
    Ok(row(
        "page-2000",
        vec![
            entry("Paceline, cache off", &servers.uncached, Request::get(deep)),
            entry(
                "Paceline, page 1",
                &servers.uncached,
                Request::get("/api/posts?page=1&limit=20&count=none"),
            ),
            entry(
                "Express",
                &servers.express,
                Request::get("/api/posts-without-count?page=2000&limit=20"),
            ),
            entry(
                "PocketBase, no total",
                &servers.pocketbase,
                Request::get(theirs),
            ),
        ],
    ))
}

fn object(servers: &Servers) -> Row<'_> {
    let theirs = "/api/collections/shop_users/records/000000000000001";
    row(
        "object",
        vec![
            entry("Paceline", &servers.cached, Request::get("/api/users/1")),
            entry("Express", &servers.express, Request::get("/api/users/1")),
            entry("PocketBase", &servers.pocketbase, Request::get(theirs)),
        ],
    )
}

fn not_modified(servers: &Servers) -> Outcome<Row<'_>> {
    let unchanged = |server: &Server| {
        Ok::<_, String>(Request::get(LIST).header("if-none-match", &tag(server)?))
    };
    Ok(row(
        "not-modified",
        vec![
            entry("Paceline", &servers.cached, unchanged(&servers.cached)?),
            entry("Express", &servers.express, unchanged(&servers.express)?),
            entry("constant route", &servers.constant, Request::get("/plain")),
        ],
    ))
}

fn noop(servers: &Servers) -> Row<'_> {
    row(
        "noop",
        vec![
            entry("Express", &servers.express, Request::get("/noop")),
            entry(
                "Express, limited",
                &servers.express,
                Request::get("/noop-limited"),
            ),
            entry("constant route", &servers.constant, Request::get("/noop")),
        ],
    )
}

/// The list's entity tag.
fn tag(server: &Server) -> Outcome<String> {
    let answer = http::get(server.address, LIST, &[]).map_err(|error| error.to_string())?;
    answer
        .header("etag")
        .map(str::to_owned)
        .ok_or_else(|| format!("{LIST} has no ETag"))
}

/// The cursor that follows a page of the list.
fn cursor(server: &Server, page: u32) -> Outcome<String> {
    let path = format!("/api/posts?page={page}&limit=20");
    let answer = http::get(server.address, &path, &[]).map_err(|error| error.to_string())?;
    let body: Value =
        serde_json::from_slice(&answer.body).map_err(|error| format!("{path}: {error}"))?;
    let next = body["pagination"]["next"].as_str();
    next.map(str::to_owned)
        .ok_or_else(|| format!("{path} has no pagination.next"))
}
