//! Closed-loop load from wrk: a fixed number of connections, each sending its next request on the answer to its last.

use std::net::SocketAddr;
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::{Outcome, places};

/// What one contender is asked in one row.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// `GET` or `POST`; a POST carries one mail.
    pub(crate) method: &'static str,
    /// Path and query; `{n}` is new for each request.
    pub(crate) path: String,
    /// `name:value`.
    pub(crate) headers: Vec<String>,
}

impl Request {
    /// A GET.
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self {
            method: "GET",
            path: path.into(),
            headers: Vec::new(),
        }
    }

    /// A mail.
    pub(crate) fn mail(path: impl Into<String>) -> Self {
        Self {
            method: "POST",
            path: path.into(),
            headers: Vec::new(),
        }
    }

    /// With one more header.
    #[must_use]
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(format!("{name}:{value}"));
        self
    }
}

/// What one load measured.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Sample {
    /// Answers a second.
    pub(crate) rate: f64,
    /// Median latency in milliseconds.
    pub(crate) p50: f64,
    /// 99th percentile in milliseconds.
    pub(crate) p99: f64,
    /// Bytes an answer, head included.
    pub(crate) bytes: f64,
    /// Answers that were no success (status above 399, broken connections).
    pub(crate) failed: u64,
}

/// Loads `address` for `seconds` over `connections`.
pub(crate) fn run(
    address: SocketAddr,
    request: &Request,
    connections: u32,
    seconds: u64,
) -> Outcome<Sample> {
    let output = Command::new("wrk")
        .args([
            "--threads",
            "1",
            "--timeout",
            "20s",
            "--connections",
            &connections.to_string(),
        ])
        .args(["--duration", &format!("{seconds}s"), "--script"])
        .arg(places::bench("lua/load.lua"))
        .args([
            &format!("http://{address}"),
            "--",
            request.method,
            &request.path,
        ])
        .args(&request.headers)
        .output()
        .map_err(|error| format!("wrk could not be started: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    sample(&text).ok_or_else(|| {
        format!(
            "wrk gave no result: {text}{}",
            String::from_utf8_lossy(&output.stderr)
        )
    })
}

#[allow(
    clippy::cast_precision_loss,
    reason = "counts of one load are far below 2^52"
)]
fn sample(text: &str) -> Option<Sample> {
    let line = text.lines().find_map(|line| line.strip_prefix("RESULT "))?;
    let numbers: Vec<u64> = line
        .split(' ')
        .map(|number| number.parse().ok())
        .collect::<Option<_>>()?;
    let [requests, microseconds, bytes, p50, p99, failed] = numbers[..] else {
        return None;
    };
    Some(Sample {
        rate: requests as f64 / (microseconds as f64 / 1e6),
        p50: p50 as f64 / 1e3,
        p99: p99 as f64 / 1e3,
        bytes: bytes as f64 / requests.max(1) as f64,
        failed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drivers_line_is_read() {
        let expected = Sample {
            rate: 500.0,
            p50: 1.5,
            p99: 20.0,
            bytes: 100.0,
            failed: 3,
        };
        assert_eq!(
            sample("other\nRESULT 1000 2000000 100000 1500 20000 3\n"),
            Some(expected)
        );
        assert_eq!(sample("RESULT 1 2 3"), None);
    }
}
