//! Those who are asked the cases: our layers, proxies in front of the origin, frameworks with the scripted handler.

mod apps;
mod places;
mod process;
mod proxies;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

pub use process::{Process, free_address};

/// One who is asked.
#[derive(Debug)]
pub struct Peer {
    /// The name in the table.
    pub name: String,
    /// What was put together, in a sentence.
    pub about: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// What runs while it is asked; dropping it stops it.
    pub processes: Vec<Process>,
}

/// Where the programs are that are built from this repository.
#[derive(Debug, Clone)]
pub struct Programs {
    /// This crate's own: the origin, and our layers.
    pub own: PathBuf,
    /// The folder with the peers in Rust.
    pub peers: PathBuf,
}

impl Programs {
    /// As cargo leaves them in `profile` (`debug`, `release`).
    pub fn built(profile: &str) -> Self {
        let target = places::target();
        Self {
            own: target.join(profile).join("paceline-conformance"),
            peers: target.join("peers").join(profile),
        }
    }
}

/// Names of all, in the order of the table.
pub const NAMES: [&str; 9] = [
    "paceline",
    "paceline-bodies",
    "paceline-tagged",
    "paceline-answers",
    "nginx",
    "caddy",
    "express",
    "salvo",
    "tower-http",
];

/// Starts one by its name; its files lie in `folder`.
///
/// # Errors
///
/// It is not installed or not built, or does not answer.
pub fn start(name: &str, folder: &Path, programs: &Programs) -> Result<Peer, String> {
    match name {
        "paceline" => apps::ours(programs, "none"),
        "paceline-bodies" => apps::ours(programs, "bodies"),
        "paceline-tagged" => apps::ours(programs, "tagged"),
        "paceline-answers" => apps::ours(programs, "answers"),
        "nginx" => proxies::nginx(folder, programs),
        "caddy" => proxies::caddy(folder, programs),
        "express" => apps::express(folder),
        "salvo" => apps::rust(
            folder,
            programs,
            "salvo",
            "Salvo",
            "hoops Compression and CachingHeaders around the scripted handler",
        ),
        "tower-http" => apps::rust(
            folder,
            programs,
            "tower-http",
            "tower-http",
            "CompressionLayer around the scripted handler; it has no layer for conditions",
        ),
        other => Err(format!(
            "there is no peer {other:?}; there are {}",
            NAMES.join(", ")
        )),
    }
}
