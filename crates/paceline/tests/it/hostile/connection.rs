//! A connection on which any bytes can be sent, and what comes back.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use super::ENDED;
use crate::server::Server;

/// A client's end of a connection.
pub(super) struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    pub(super) fn open(server: &Server) -> Self {
        let address = server.base.strip_prefix("http://").unwrap();
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(ENDED)).unwrap();
        Self {
            stream,
            read: Vec::new(),
        }
    }

    /// Opens one and sends bytes.
    pub(super) fn with(server: &Server, bytes: impl AsRef<[u8]>) -> Self {
        let mut connection = Self::open(server);
        connection.send(bytes).unwrap();
        connection
    }

    pub(super) fn send(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        self.stream.write_all(bytes.as_ref())
    }

    /// Says that nothing more will be sent.
    pub(super) fn close_half(&self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// One answer with a `Content-Length`: its head and its body.
    #[track_caller]
    pub(super) fn answer(&mut self) -> (String, String) {
        let end = loop {
            if let Some(end) = find(&self.read, b"\r\n\r\n") {
                break end + 4;
            }
            assert!(self.more(), "no answer: {}", self.text());
        };
        let head = String::from_utf8_lossy(&self.read[..end]).to_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(0, |length| length.parse().unwrap());
        while self.read.len() < end + length {
            assert!(self.more(), "half an answer: {}", self.text());
        }
        let rest = self.read.split_off(end + length);
        let answer = std::mem::replace(&mut self.read, rest);
        let body = String::from_utf8_lossy(&answer[end..]).into_owned();
        (head, body)
    }

    /// Everything until the server ends the connection, which must be within [`ENDED`]; how long that took.
    #[track_caller]
    pub(super) fn until_its_end(&mut self) -> (String, Duration) {
        let start = Instant::now();
        while self.more() {
            assert!(start.elapsed() < ENDED, "the connection goes on");
        }
        (self.text(), start.elapsed())
    }

    /// Whether the server has not ended the connection when `time` is over.
    #[track_caller]
    pub(super) fn lasts(&mut self, time: Duration) -> bool {
        self.stream.set_read_timeout(Some(time)).unwrap();
        let mut buffer = [0; 1_024];
        let read = self.stream.read(&mut buffer);
        self.stream.set_read_timeout(Some(ENDED)).unwrap();
        match read {
            Ok(read) => {
                self.read.extend_from_slice(&buffer[..read]);
                read > 0
            }
            Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        }
    }

    /// Whether an answer begins to arrive.
    #[track_caller]
    pub(super) fn begins(&mut self) -> bool {
        self.more()
    }

    /// Bytes that came so far and belong to no answer yet.
    pub(super) fn received(&self) -> usize {
        self.read.len()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.read).into_owned()
    }

    /// Reads on; `false` once the server has ended the connection, in one way or the other.
    #[track_caller]
    fn more(&mut self) -> bool {
        let mut buffer = vec![0; 64 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(0) => false,
            Ok(read) => {
                self.read.extend_from_slice(&buffer[..read]);
                true
            }
            Err(error) => {
                let waited = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
                assert!(!waited, "nothing within {ENDED:?}");
                false
            }
        }
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}
