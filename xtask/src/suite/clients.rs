//! Clients of others on the demo and on the example: `REDbot`, and curl and h2load over HTTP/2 with prior knowledge.

use std::net::SocketAddr;

use super::demo::Demo;
use crate::process::Program;
use crate::server::{Server, free_address};
use crate::{setup, workspace};

/// What `REDbot` looks at.
const LINTED: [&str; 6] = [
    "/api/posts?page=2&limit=50",
    "/api/posts?fields=id,title,author.name",
    "/api/products/1",
    "/openapi.json",
    "/api/nothing",
    "/health/live",
];
/// What h2load asks the demo for: as many requests as are answered in some seconds by a debug build.
const OF_THE_DEMO: u32 = 2_000;
/// What it asks the example for, which lets 100 requests of a client through.
const OF_THE_EXAMPLE: u32 = 80;

/// Asks the demo, then the example.
pub(super) fn run() -> Result<(), String> {
    let demo = Demo::make(None)?;
    let server = demo.start()?;
    let asked = lint(server.address)
        .and_then(|()| http2(server.address, "/api/products?limit=50", OF_THE_DEMO));
    asked.and(server.stop())?;
    let address = free_address()?;
    let example = workspace::target().join("debug/axum-app");
    let listen = address.to_string();
    let example = Server::start_asking(
        &example,
        &[&listen],
        demo.folder(),
        (address, "/api/products/1"),
    )?;
    http2(example.address, "/api/products/1", OF_THE_EXAMPLE)
}

fn lint(address: SocketAddr) -> Result<(), String> {
    Program::new(setup::clients_program("python"))
        .arguments(&[workspace::root().join("xtask/python/lint.py")])
        .arguments(&[format!("http://{address}")])
        .arguments(&LINTED)
        .run()
}

/// One request of curl, then many at a time; all must be answered in HTTP/2.
fn http2(address: SocketAddr, path: &str, requests: u32) -> Result<(), String> {
    let url = format!("http://{address}{path}");
    let said = Program::new("curl")
        .arguments(&["--http2-prior-knowledge", "--silent", "--show-error"])
        .arguments(&["--compressed", "--output", "/dev/null"])
        .arguments(&["--write-out", "%{http_version} %{http_code}", &url])
        .output()?;
    println!("  {path}: curl is answered {said}");
    if said != "2 200" {
        return Err(format!("curl wants \"2 200\" of {url}, not {said:?}"));
    }
    let number = requests.to_string();
    let said = Program::new("h2load")
        .arguments(&["--requests", &number, "--clients", "10"])
        .arguments(&["--max-concurrent-streams", "50", &url])
        .output()?;
    let line = said
        .lines()
        .find(|line| line.starts_with("requests:"))
        .unwrap_or_default();
    println!("  {path}: h2load: {line}");
    if is_clean(line, requests) {
        Ok(())
    } else {
        Err(format!("h2load wants all requests to succeed:\n{said}"))
    }
}

/// Whether h2load's line of requests says that none failed. A limit's 429 would be a failure too.
fn is_clean(line: &str, requests: u32) -> bool {
    [
        format!("{requests} succeeded"),
        "0 failed".into(),
        "0 errored".into(),
        "0 timeout".into(),
    ]
    .iter()
    .all(|wanted| line.split(", ").any(|part| part.trim() == *wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failed_request_is_noticed() {
        let line = |succeeded: u32, failed: u32| {
            format!(
                "requests: 2000 total, 2000 started, 2000 done, {succeeded} succeeded, {failed} failed, 0 errored, 0 timeout"
            )
        };
        assert!(is_clean(&line(2_000, 0), 2_000));
        assert!(!is_clean(&line(1_999, 1), 2_000));
        assert!(!is_clean("", 2_000));
    }
}
