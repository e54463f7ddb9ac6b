//! Those who take part: Paceline, the Express tutorial, `PocketBase`, a constant route.

mod express;
mod ours;
mod pocketbase;
mod remote;
mod shop;

use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) use express::{Mailer, Redis, express, express_on, node};
pub(crate) use ours::{Cache, ours, ours_on_export};
pub(crate) use pocketbase::pocketbase;
pub(crate) use remote::{CONNECTIONS, by_hand, express_on_server, ours_on_server};

use crate::options::Options;
use crate::server::{Server, free_address};
use crate::{Outcome, http};

/// The files that all contenders read.
#[derive(Debug)]
pub(crate) struct Data {
    /// Everything lies here and goes away with it.
    pub(crate) folder: PathBuf,
    /// The shop: users, posts, products.
    pub(crate) shop: PathBuf,
    /// The shop without any index but the keys', as the tutorial has it.
    pub(crate) unindexed_shop: PathBuf,
    /// One table `people` of many rows.
    pub(crate) export: PathBuf,
}

/// Makes the data, the same for all.
pub(crate) fn prepare(folder: &Path, options: &Options) -> Outcome<Data> {
    let data = Data {
        folder: folder.to_owned(),
        shop: ours::make_shop(folder)?,
        unindexed_shop: folder.join("unindexed.db"),
        export: folder.join("export.db"),
    };
    shop::copy_without_indexes(&data.shop, &data.unindexed_shop)?;
    shop::make_export(&data.export, options.export_rows)?;
    pocketbase::prepare(&data)?;
    Ok(data)
}

/// The constant route, with the bytes that `like` answers to `path`.
pub(crate) fn constant(data: &Data, like: &Server, path: &str) -> Outcome<Server> {
    constant_in(&data.folder, like, path)
}

/// The same, with its files in `folder`.
pub(crate) fn constant_in(folder: &Path, like: &Server, path: &str) -> Outcome<Server> {
    let read = |headers: &[&str]| {
        http::get(like.address, path, headers).map_err(|error| error.to_string())
    };
    let (plain, gzip) = (
        folder.join("constant.json"),
        folder.join("constant.json.gz"),
    );
    std::fs::write(&plain, read(&[])?.body).map_err(|error| error.to_string())?;
    std::fs::write(&gzip, read(&["Accept-Encoding: gzip"])?.body)
        .map_err(|error| error.to_string())?;
    let address = free_address()?;
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command
        .arg("constant")
        .arg(address.to_string())
        .arg(plain)
        .arg(gzip);
    Server::start(&mut command, address, "/noop")
}
