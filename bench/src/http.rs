//! A client for single requests, of the standard library only. Load comes from wrk.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// An answer that was read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status code.
    pub(crate) status: u16,
    head: String,
    /// The body, still chunked if it was sent so.
    pub(crate) body: Vec<u8>,
    /// From the request to the first byte.
    pub(crate) first_byte: Duration,
    /// From the request to the last byte.
    pub(crate) total: Duration,
    /// How many bytes came.
    pub(crate) length: u64,
}

impl Answer {
    /// A header's value; the name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// A GET whose body is kept.
pub(crate) fn get(address: SocketAddr, path: &str, headers: &[&str]) -> std::io::Result<Answer> {
    exchange(address, path, headers, true)
}

/// A GET whose body is counted and dropped.
pub(crate) fn drain(address: SocketAddr, path: &str) -> std::io::Result<Answer> {
    exchange(address, path, &[], false)
}

fn exchange(
    address: SocketAddr,
    path: &str,
    headers: &[&str],
    keep: bool,
) -> std::io::Result<Answer> {
    let start = Instant::now();
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_mins(5)))?;
    let mut request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for header in headers {
        request.push_str(header);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes())?;
    let mut buffer = vec![0; 64 * 1024];
    let mut kept = Vec::new();
    let (mut length, mut first_byte) = (0, Duration::ZERO);
    loop {
        let read = stream.read(&mut buffer)?;
        if length == 0 {
            first_byte = start.elapsed();
        }
        if read == 0 {
            break;
        }
        if keep || length == 0 {
            kept.extend_from_slice(&buffer[..read]);
        }
        length += read as u64;
    }
    answer(&kept, first_byte, start.elapsed(), length)
}

fn answer(
    bytes: &[u8],
    first_byte: Duration,
    total: Duration,
    length: u64,
) -> std::io::Result<Answer> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.ok_or_else(|| std::io::Error::other("no whole head"))?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or(0);
    Ok(Answer {
        status,
        head,
        body: bytes[end + 4..].to_vec(),
        first_byte,
        total,
        length,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_apart() {
        let bytes = b"HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\nX: 1\r\n\r\nbody";
        let answer = answer(bytes, Duration::ZERO, Duration::ZERO, 0).expect("whole");
        assert_eq!(
            (answer.status, answer.header("etag"), &answer.body[..]),
            (304, Some("\"a\""), &b"body"[..])
        );
        assert!(super::answer(b"HTTP/1.1 200", Duration::ZERO, Duration::ZERO, 0).is_err());
    }
}
