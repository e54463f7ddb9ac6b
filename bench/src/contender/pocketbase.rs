//! `PocketBase` with the shop's rows in its collections.

use std::path::PathBuf;
use std::process::Command;

use super::Data;
use crate::server::{Server, free_address};
use crate::{Outcome, places};

/// Makes its data folder.
pub(super) fn prepare(data: &Data) -> Outcome<()> {
    let address = free_address()?;
    let status = Command::new("python3")
        .arg(places::bench("peers/pocketbase/setup.py"))
        .arg(places::pocketbase())
        .arg(&data.shop)
        .arg(folder(data))
        .arg(address.port().to_string())
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("peers/pocketbase/setup.py ended with {status}")),
        Err(error) => Err(format!(
            "peers/pocketbase/setup.py could not be started: {error}"
        )),
    }
}

/// The server.
pub(crate) fn pocketbase(data: &Data) -> Outcome<Server> {
    let address = free_address()?;
    let mut command = Command::new(places::pocketbase());
    command
        .arg("serve")
        .arg("--dir")
        .arg(folder(data))
        .arg("--http")
        .arg(address.to_string());
    Server::start(&mut command, address, "/api/health")
}

fn folder(data: &Data) -> PathBuf {
    data.folder.join("pocketbase")
}
