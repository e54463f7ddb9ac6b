//! Clients that are slow, silent, rude or broken: each is bounded, and nobody else notices.

mod bodies;
mod connection;
mod heads;
mod http2;
mod readers;

use std::time::Duration;

use crate::server::Server;
use connection::Connection;

/// What the server waits for a head, a body, and a client that takes nothing.
const WAIT: Duration = Duration::from_secs(2);
/// Within this a wait of [`WAIT`] must have ended, on a busy machine too.
const ENDED: Duration = Duration::from_secs(30);
/// The notes in the database; one is [`NOTE`] bytes long.
const NOTES: u32 = 20_000;
const NOTE: usize = 2_000;
/// The largest body that is taken.
const MAX_BODY: usize = 64 * 1024;

const CONFIG: &str = "[server]\nlisten = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\nmax_body = \"64KiB\"\n\
    head_timeout = \"2s\"\nbody_timeout = \"2s\"\nstall_timeout = \"2s\"\n\
    [database]\nurl = \"sqlite:notes.db\"\nread_connections = 2\n\
    [resources.note]\nwrite = [\"create\"]\nanonymous_write = true\n\
    [export]\nmax_concurrent = 1\n[stream]\nmax_clients = 2\n";

/// 40 MB of notes, with short waits.
fn serve() -> Server {
    let folder = tempfile::tempdir().unwrap();
    let connection = rusqlite::Connection::open(folder.path().join("notes.db")).unwrap();
    connection
        .execute_batch(&format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;
             CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {NOTES})
             INSERT INTO note SELECT i, printf('%0{NOTE}d', i) FROM n;"
        ))
        .unwrap();
    Server::serve(CONFIG, folder)
}

/// Others are answered, over a connection of their own.
#[track_caller]
fn assert_others_are_answered(server: &Server) {
    let answer = server.get("/api/note/7");
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// The whole process's memory that is resident, in bytes.
fn resident(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1));
    kilobytes.unwrap().parse::<u64>().unwrap() * 1024
}
