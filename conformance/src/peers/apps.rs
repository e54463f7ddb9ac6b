//! Frameworks whose handler is the script.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::process::{Process, free_address};
use super::{Peer, Programs, places};
use crate::case::{behaviours, read_all};

/// Our layers, and what they keep.
pub(super) fn ours(programs: &Programs, memory: &str) -> Result<Peer, String> {
    let address = free_address()?;
    let mut command = Command::new(&programs.own);
    command.args(["ours", "--listen", &address.to_string(), "--memory", memory]);
    let (name, about) = match memory {
        "none" => (
            "Paceline",
            "CompressionLayer, ValidatorLayer and ConditionalLayer around the scripted handler",
        ),
        "bodies" => (
            "Paceline, bodies kept",
            "the same, encoded bodies kept by their content",
        ),
        "tagged" => (
            "Paceline, bodies kept by tag",
            "the same, encoded bodies kept by their strong tag and URL",
        ),
        _ => (
            "Paceline, answers kept",
            "the same, but whole answers that have a tag are kept with their codings, as the paceline binary does",
        ),
    };
    Ok(Peer {
        name: format!("{name} {}", env!("CARGO_PKG_VERSION")),
        about: about.to_owned(),
        address,
        processes: vec![Process::start(&mut command, address)?],
    })
}

/// Express with its own tags and the compression middleware.
pub(super) fn express(folder: &Path) -> Result<Peer, String> {
    let peer = places::peer("express-conformance");
    let address = free_address()?;
    let mut command = Command::new("node");
    command
        .arg(peer.join("server.js"))
        .env("NODE_ENV", "production")
        .env("PORT", address.port().to_string())
        .env("BEHAVIOURS", behaviours_file(folder)?);
    let version = |package: &str| -> String {
        let path = peer.join("node_modules").join(package).join("package.json");
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let described: Value = serde_json::from_str(&text).unwrap_or_default();
        described["version"].as_str().unwrap_or("?").to_owned()
    };
    Ok(Peer {
        name: format!("Express {} + compression {}", version("express"), version("compression")),
        about: "its default tags and fresh, middleware compression, flush() after each piece of a stream".to_owned(),
        address,
        processes: vec![Process::start(&mut command, address)?],
    })
}

/// A peer that is a package under `bench/peers`, which takes `ADDRESS BEHAVIOURS`.
pub(super) fn rust(
    folder: &Path,
    programs: &Programs,
    package: &str,
    name: &str,
    about: &str,
) -> Result<Peer, String> {
    let address = free_address()?;
    let mut command = Command::new(programs.peers.join(format!("{package}-peer")));
    command
        .arg(address.to_string())
        .arg(behaviours_file(folder)?);
    Ok(Peer {
        name: format!("{name} {}", locked_version(package)?),
        about: about.to_owned(),
        address,
        processes: vec![Process::start(&mut command, address)?],
    })
}

/// What the scripts are, for those who cannot link them.
fn behaviours_file(folder: &Path) -> Result<PathBuf, String> {
    let path = folder.join("behaviours.json");
    let mut all = serde_json::Map::new();
    for (name, behaviour) in behaviours(&read_all().map_err(|error| error.to_string())?) {
        all.insert(name, behaviour.to_json()?);
    }
    std::fs::write(&path, Value::Object(all).to_string())
        .map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}

fn locked_version(package: &str) -> Result<String, String> {
    let path = places::peer(package).join("Cargo.lock");
    let text =
        std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let after = text.split_once(&format!("name = \"{package}\"\nversion = \""));
    let version = after.and_then(|(_, after)| after.split('"').next());
    version
        .map(str::to_owned)
        .ok_or_else(|| format!("{} does not have {package}", path.display()))
}
