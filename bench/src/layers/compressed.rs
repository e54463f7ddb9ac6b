//! Unchanged JSON, compressed: once kept (warm), anew each time (cold); and the 304 of the same.

use paceline_conformance::peers::{self, Peer, Programs};

use crate::load::{self, Request};
use crate::options::Options;
use crate::results::Results;
use crate::{Outcome, http};

/// Who is measured: a peer of the conformance suite, under the name of the row's column.
const CONTENDERS: [(&str, &str); 9] = [
    ("paceline-tagged", "Paceline, kept"),
    ("paceline-bodies", "Paceline, kept by content"),
    ("paceline-answers", "Paceline, answers kept"),
    ("paceline", "Paceline, anew"),
    ("nginx", "nginx"),
    ("caddy", "Caddy"),
    ("salvo", "Salvo"),
    ("tower-http", "tower-http"),
    ("express", "Express"),
];

/// The row, the body, the coding asked for, and whether the client has the answer already.
const ROWS: [(&str, &str, &str, bool); 7] = [
    ("layers-gzip-1", "/json-1", "gzip", false),
    ("layers-gzip-16", "/json-16", "gzip", false),
    ("layers-gzip-256", "/json-256", "gzip", false),
    ("layers-zstd-1", "/json-1", "zstd", false),
    ("layers-zstd-16", "/json-16", "zstd", false),
    ("layers-zstd-256", "/json-256", "zstd", false),
    ("layers-304", "/json-16", "gzip", true),
];

/// Each row, all contenders in turns.
pub(super) fn measure(options: &Options, results: &mut Results) -> Outcome<()> {
    if !ROWS.iter().any(|row| options.wants(row.0)) {
        return Ok(());
    }
    let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    let programs = Programs::built("release");
    let mut started = Vec::new();
    for (peer, name) in CONTENDERS {
        let own = folder.path().join(peer);
        std::fs::create_dir(&own).map_err(|error| error.to_string())?;
        started.push((name, peers::start(peer, &own, &programs)?));
    }
    for (row, path, coding, is_known) in ROWS {
        if !options.wants(row) {
            continue;
        }
        let asked = requests(&started, path, coding, is_known)?;
        for (_, peer, request) in &asked {
            load::run(peer.address, request, 32, options.warm_up)?;
        }
        for _ in 0..options.runs {
            for (name, peer, request) in &asked {
                let sample = load::run(peer.address, request, 32, options.seconds)?;
                results.load(row, name, sample);
            }
        }
    }
    Ok(())
}

/// What each is asked; those that do not have the coding are left out, and identity is added.
fn requests<'a>(
    started: &'a [(&'static str, Peer)],
    path: &str,
    coding: &str,
    is_known: bool,
) -> Outcome<Vec<(&'static str, &'a Peer, Request)>> {
    let mut asked = Vec::new();
    for (name, peer) in started {
        let line = format!("accept-encoding: {coding}");
        let answer = http::get(peer.address, path, &[&line])
            .map_err(|error| format!("{name} {path}: {error}"))?;
        let is_encoded = answer.header("content-encoding") == Some(coding);
        let is_small = path == "/json-1" && !is_encoded;
        if !is_encoded && !is_small {
            continue;
        }
        let mut request = Request::get(path).header("accept-encoding", coding);
        if is_known {
            let Some(tag) = answer.header("etag") else {
                continue;
            };
            request = request.header("if-none-match", tag);
            let lines = [line, format!("if-none-match: {tag}")];
            let again = http::get(peer.address, path, &[&lines[0], &lines[1]]);
            if again.map_err(|error| error.to_string())?.status != 304 {
                continue;
            }
        }
        asked.push((*name, peer, request));
    }
    if let Some((_, ours)) = started.first() {
        asked.push(("Paceline, identity", ours, Request::get(path)));
    }
    Ok(asked)
}
