//! Contenders that read from a database server, alike for each engine.

use std::path::Path;
use std::process::Command;

use super::{Cache, node};
use crate::server::{Server, free_address};
use crate::{Outcome, places};

/// How many connections to the database each contender may have.
pub(crate) const CONNECTIONS: u32 = 8;

/// Paceline on the database at `url`, its configuration in `folder`.
pub(crate) fn ours_on_server(folder: &Path, url: &str, cache: Cache) -> Outcome<Server> {
    let (name, size) = match cache {
        Cache::On => ("server.toml", "64MiB"),
        Cache::Off => ("server-without-cache.toml", "0B"),
    };
    let address = free_address()?;
    let text = format!(
        "[server]\nlisten = \"{address}\"\nadmin_listen = \"off\"\n[database]\nurl = \"{url}\"\n\
         [pool]\nsize = {CONNECTIONS}\n[cache]\nsize = \"{size}\"\n"
    );
    let path = folder.join(name);
    std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut command = Command::new(places::paceline());
    command.arg("serve").arg("--config").arg(&path);
    Server::start(&mut command, address, "/health/ready")
}

/// The tutorial in that file of the peer's folder.
pub(crate) fn express_on_server(file: &str, url: &str) -> Outcome<Server> {
    let address = free_address()?;
    let mut command = node(file);
    command
        .env("PORT", address.port().to_string())
        .env("DATABASE_URL", url)
        .env("CONNECTIONS", CONNECTIONS.to_string());
    Server::start(&mut command, address, "/noop")
}

/// What is written by hand: this program in that mode.
pub(crate) fn by_hand(mode: &str, url: &str) -> Outcome<Server> {
    let address = free_address()?;
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command
        .arg(mode)
        .arg(address.to_string())
        .arg(url)
        .arg(CONNECTIONS.to_string());
    Server::start(&mut command, address, "/noop")
}
