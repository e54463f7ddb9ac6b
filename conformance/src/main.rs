//! `cargo run -p paceline-conformance -- run http://127.0.0.1:8080`: asks a server the cases.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};
use http::Uri;
use paceline_conformance::case::{behaviours, read_all};
use paceline_conformance::origin::{Preconditions, Script, serve};
use paceline_conformance::ours::{Memory, serve_ours};
use paceline_conformance::peers::Programs;
use paceline_conformance::run::{Protocol, Target, Verdict, run};
use paceline_conformance::table::Results;
use paceline_conformance::{origin, peers};
use tokio::net::TcpListener;

#[derive(Debug, Parser)]
#[command(about = "HTTP conformance as data: ask any server, or measure the peers")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Asks the server at a URL every case; exit code 1 when one is not as expected.
    Run {
        /// `http://HOST:PORT`, with a path when the cases lie below one.
        url: Uri,
        /// Only cases whose name contains this.
        #[arg(long, default_value = "")]
        only: String,
        /// How the server is spoken to.
        #[arg(long, default_value = "http1")]
        protocol: Protocol,
    },
    /// Is the origin that judges conditions by its own tags: to stand behind a proxy.
    Origin {
        /// Where to listen.
        #[arg(long)]
        listen: SocketAddr,
    },
    /// Is our layers around the scripted handler.
    Ours {
        /// Where to listen.
        #[arg(long)]
        listen: SocketAddr,
        /// What is kept between requests.
        #[arg(long, default_value = "none")]
        memory: Memory,
    },
    /// Prints what the origin does in each case as JSON, for handlers in other languages.
    Behaviours,
    /// Starts each peer, asks it every case and writes the table.
    Table {
        /// The file to write.
        #[arg(long)]
        out: PathBuf,
        /// Only these peers, by comma.
        #[arg(long, value_delimiter = ',')]
        peers: Vec<String>,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    match done(Arguments::parse().command).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("paceline-conformance: {problem}");
            ExitCode::from(2)
        }
    }
}

/// Whether all was as expected.
async fn done(command: Command) -> Result<bool, String> {
    match command {
        Command::Run {
            url,
            only,
            protocol,
        } => ask(&url, &only, protocol).await,
        Command::Origin { listen } => {
            let script = script(Preconditions::Judged)?;
            let handler = origin::service(script);
            serve(bind(listen).await?, handler).await;
            Ok(true)
        }
        Command::Ours { listen, memory } => {
            serve_ours(bind(listen).await?, script(Preconditions::Ignored)?, memory).await;
            Ok(true)
        }
        Command::Behaviours => {
            let cases = read_all().map_err(|error| error.to_string())?;
            let mut all = serde_json::Map::new();
            for (name, behaviour) in behaviours(&cases) {
                all.insert(name, behaviour.to_json()?);
            }
            println!("{}", serde_json::Value::Object(all));
            Ok(true)
        }
        Command::Table { out, peers } => table(&out, &peers).await,
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address)
        .await
        .map_err(|error| format!("{address}: {error}"))
}

fn script(preconditions: Preconditions) -> Result<Arc<Script>, String> {
    let cases = read_all().map_err(|error| error.to_string())?;
    Ok(Arc::new(Script::new(behaviours(&cases), preconditions)?))
}

async fn ask(url: &Uri, only: &str, protocol: Protocol) -> Result<bool, String> {
    let host = url.authority().ok_or("the URL has no host")?;
    let place = format!("{}:{}", host.host(), host.port_u16().unwrap_or(80));
    let mut found = tokio::net::lookup_host(&place)
        .await
        .map_err(|error| format!("{place}: {error}"))?;
    let target = Target {
        address: found
            .next()
            .ok_or_else(|| format!("{place} has no address"))?,
        prefix: url.path().trim_end_matches('/').to_owned(),
        protocol,
    };
    let mut cases = read_all().map_err(|error| error.to_string())?;
    cases.retain(|case| case.name.contains(only));
    let verdicts = run(&target, &cases).await;
    print(&verdicts);
    Ok(verdicts
        .iter()
        .all(|verdict| verdict.differences.is_empty()))
}

fn print(verdicts: &[Verdict]) {
    for verdict in verdicts
        .iter()
        .filter(|verdict| !verdict.differences.is_empty())
    {
        println!("{} ({:?})", verdict.case, verdict.strength);
        for difference in &verdict.differences {
            println!("  {difference}");
        }
    }
    let passed = verdicts
        .iter()
        .filter(|verdict| verdict.differences.is_empty())
        .count();
    println!("{passed} of {} cases are as expected", verdicts.len());
}

async fn table(out: &std::path::Path, only: &[String]) -> Result<bool, String> {
    let cases = read_all().map_err(|error| error.to_string())?;
    let mut results = Results::default();
    for name in peers::NAMES
        .iter()
        .filter(|name| only.is_empty() || only.iter().any(|asked| asked == *name))
    {
        let folder =
            tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
        let peer = peers::start(name, folder.path(), &Programs::built("debug"))?;
        let target = Target {
            address: peer.address,
            prefix: String::new(),
            protocol: Protocol::Http1,
        };
        println!("{}", peer.name);
        let verdicts = run(&target, &cases).await;
        print(&verdicts);
        results.add(peer.name.clone(), peer.about.clone(), verdicts);
    }
    let date = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    std::fs::write(out, results.document(&cases, &date))
        .map_err(|error| format!("{}: {error}", out.display()))?;
    println!("{} written", out.display());
    Ok(true)
}
