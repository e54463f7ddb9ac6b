//! What a client of an event stream costs while nothing happens.

use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use paceline_http::problem::Problem;
use paceline_http::stream::sse::{Broadcaster, Filter, Options as StreamOptions};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::Outcome;
use crate::options::Options;
use crate::results::Results;
use crate::server::{Server, free_address};

/// How many there are; with `--quick` a tenth of them.
const CLIENTS: u32 = 10_000;

/// Open files that each side may have.
const FILES: &str = "--nofile=12000:";

/// How long all clients may take to be connected.
const PATIENCE: Duration = Duration::from_mins(1);

/// Resident memory of the server with and without them, apart by their number.
pub(super) fn measure(options: &Options, results: &mut Results) -> Outcome<()> {
    let clients = if options.seconds < 5 {
        CLIENTS / 10
    } else {
        CLIENTS
    };
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let address = free_address()?;
    let mut command = Command::new("prlimit");
    command.args([FILES, "--"]).arg(&program).args([
        "idle-server",
        &address.to_string(),
        &clients.to_string(),
    ]);
    let server = Server::start_when(&mut command, address, || {
        TcpStream::connect(address).is_ok()
    })?;
    let before = server.resident();
    let connected = Clients::connect(&program, address, clients)?;
    let with = server.resident();
    drop(connected);
    #[expect(
        clippy::cast_precision_loss,
        reason = "memory of one process is far below 2^52 bytes"
    )]
    let kibibytes = with.saturating_sub(before) as f64 / f64::from(clients) / 1024.0;
    results.figure("layers, an idle event stream, KiB", kibibytes);
    Ok(())
}

/// The process that holds the connections.
struct Clients(Child);

impl Clients {
    fn connect(program: &std::path::Path, address: SocketAddr, clients: u32) -> Outcome<Self> {
        let mut child = Command::new("prlimit")
            .args([FILES, "--"])
            .arg(program)
            .args(["idle-clients", &address.to_string(), &clients.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("prlimit could not be started: {error}"))?;
        let mut line = String::new();
        let output = child.stdout.take().ok_or("no output")?;
        std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line)
            .map_err(|error| error.to_string())?;
        let connected = Self(child);
        if line.trim() == "connected" {
            Ok(connected)
        } else {
            Err(format!("the clients of the idle streams said {line:?}"))
        }
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Serves event streams at `ADDRESS` to `CLIENTS`, until it is stopped.
pub(crate) fn serve(arguments: &[String]) -> Outcome<()> {
    let (address, clients) = place(arguments)?;
    let limit = usize::try_from(clients).map_err(|error| error.to_string())? + 16;
    let broadcaster = Broadcaster::new(StreamOptions::default().with_max_clients(limit));
    let stream = move || {
        let broadcaster = broadcaster.clone();
        async move { answer(&broadcaster) }
    };
    let router = Router::new().route("/stream", get(stream));
    runtime()?.block_on(async {
        let listener = tokio::net::TcpListener::bind(address)
            .await
            .map_err(|error| error.to_string())?;
        axum::serve(listener, router)
            .await
            .map_err(|error| error.to_string())
    })
}

fn answer(broadcaster: &Broadcaster) -> Result<Response, Problem> {
    Ok(broadcaster
        .subscribe(None, Filter::all())?
        .into_body()
        .into_response())
}

/// Holds `CLIENTS` streams of `ADDRESS` open, says `connected`, and stays until its input ends.
pub(crate) fn connect(arguments: &[String]) -> Outcome<()> {
    let (address, clients) = place(arguments)?;
    runtime()?.block_on(async {
        let start = Instant::now();
        let mut held = Vec::new();
        for _ in 0..clients {
            let mut stream = tokio::net::TcpStream::connect(address)
                .await
                .map_err(|error| error.to_string())?;
            stream
                .write_all(b"GET /stream HTTP/1.1\r\nhost: bench\r\n\r\n")
                .await
                .map_err(|error| error.to_string())?;
            let mut answer = [0; 64];
            let read = stream
                .read(&mut answer)
                .await
                .map_err(|error| error.to_string())?;
            if !answer[..read].starts_with(b"HTTP/1.1 200") || start.elapsed() > PATIENCE {
                return Err(format!(
                    "refused: {}",
                    String::from_utf8_lossy(&answer[..read])
                ));
            }
            held.push(stream);
        }
        println!("connected");
        let end_of_input = || std::io::read_to_string(std::io::stdin());
        let ended = tokio::task::spawn_blocking(end_of_input).await;
        ended.map(drop).map_err(|error| error.to_string())
    })
}

fn place(arguments: &[String]) -> Outcome<(SocketAddr, u32)> {
    let [address, clients] = arguments else {
        return Err("needs ADDRESS CLIENTS".to_owned());
    };
    let address = address
        .parse()
        .map_err(|_| format!("{address:?} is no address"))?;
    let clients = clients
        .parse()
        .map_err(|_| format!("{clients:?} is no number"))?;
    Ok((address, clients))
}

fn runtime() -> Outcome<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())
}
