//! Clients that do not read what they asked for, or close one half of their connection.

use std::time::Instant;

use super::{Connection, ENDED, assert_others_are_answered, resident, serve};
use crate::server::Server;

const LIST: &str = "GET /api/note?limit=100 HTTP/1.1\r\nhost: localhost\r\n\r\n";
const EXPORT: &str = "GET /api/export/note HTTP/1.1\r\nhost: localhost\r\n\r\n";
const STREAM: &str = "GET /api/stream HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// Asks until the answer is 200: some place has been given back.
#[track_caller]
fn answered_in_time(server: &Server, path: &str) {
    let start = Instant::now();
    loop {
        let (status, _, body) = crate::client::open(&format!("{}{path}", server.base), &[]);
        if status == 200 {
            return;
        }
        assert_eq!(status, 503);
        drop(body);
        assert!(start.elapsed() < ENDED, "no place is given back");
        std::thread::yield_now();
    }
}

/// The answer of a list is 200 KB; 400 of them fit into no socket's buffers.
#[test]
fn clients_that_do_not_read_their_lists_are_cut_off_and_take_no_memory() {
    const CLIENTS: u64 = 20;
    const ANSWERS: usize = 400;
    let server = serve();
    assert_eq!(server.get("/api/note?limit=100").status, 200);
    let (before, idle) = (resident(&server), sockets(&server));
    let mut connections: Vec<Connection> = (0..CLIENTS)
        .map(|_| Connection::with(&server, LIST.repeat(ANSWERS)))
        .collect();
    assert_others_are_answered(&server);
    let bound = CLIENTS * 1024 * 1024;
    let grown = resident(&server).saturating_sub(before);
    assert!(grown < bound, "{grown} bytes for {CLIENTS} clients");
    // They read nothing until the server has ended the connections: then less than all is there.
    wait_for_sockets(&server, idle);
    let grown = resident(&server).saturating_sub(before);
    assert!(grown < bound, "{grown} bytes for {CLIENTS} clients");
    for connection in &mut connections {
        let (read, _) = connection.until_its_end();
        assert!(read.len() < ANSWERS * 200_000, "{} bytes", read.len());
    }
}

/// Waits until the server has no more sockets than this.
#[track_caller]
fn wait_for_sockets(server: &Server, most: usize) {
    let start = Instant::now();
    while sockets(server) > most {
        assert!(start.elapsed() < ENDED, "connections go on");
        assert_others_are_answered(server);
    }
}

fn sockets(server: &Server) -> usize {
    let files = std::fs::read_dir(format!("/proc/{}/fd", server.id())).unwrap();
    let is_socket = |file: std::io::Result<std::fs::DirEntry>| {
        let target = std::fs::read_link(file.ok()?.path()).ok()?;
        target.to_str()?.starts_with("socket:").then_some(())
    };
    files.filter_map(is_socket).count()
}

#[test]
fn trap_18_an_export_that_nobody_reads_gives_its_place_back() {
    let server = serve();
    assert_others_are_answered(&server);
    let (before, idle) = (resident(&server), sockets(&server));
    let mut still = Connection::with(&server, EXPORT);
    assert_others_are_answered(&server);
    let grown = resident(&server).saturating_sub(before);
    assert!(grown < 16 * 1024 * 1024, "{grown} bytes of 40 MB");
    wait_for_sockets(&server, idle);
    answered_in_time(&server, "/api/export/note?fields=id");
    let (read, _) = still.until_its_end();
    assert!(read.starts_with("HTTP/1.1 200 OK\r\n"), "{read:.100}");
    let end = &read[read.len().saturating_sub(80)..];
    assert!(
        !end.ends_with("\r\n0\r\n\r\n"),
        "{} bytes end whole: {end}",
        read.len()
    );
}

#[test]
fn trap_18_clients_that_leave_or_close_their_half_give_their_places_back() {
    let server = serve();
    for half in [false, true] {
        let mut export = Connection::with(&server, EXPORT);
        let streams = [(); 2].map(|()| Connection::with(&server, STREAM));
        assert!(export.begins(), "the export has begun");
        if half {
            export.close_half();
            streams.iter().for_each(Connection::close_half);
            answered_in_time(&server, "/api/stream");
            answered_in_time(&server, "/api/export/note?fields=id");
            drop((export, streams));
        } else {
            drop((export, streams));
            answered_in_time(&server, "/api/stream");
            answered_in_time(&server, "/api/export/note?fields=id");
        }
    }
    assert_others_are_answered(&server);
}
