//! The Express tutorial, and the Redis that its queue lives on.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::Data;
use crate::server::{Server, free_address};
use crate::{Outcome, places};

/// Redis without persistence.
#[derive(Debug)]
pub(crate) struct Redis {
    server: Server,
}

impl Redis {
    /// Starts one on a free port, with its files in `folder`.
    pub(crate) fn start_in(folder: &Path) -> Outcome<Self> {
        let address = free_address()?;
        let mut command = Command::new("redis-server");
        command.args(["--port", &address.port().to_string(), "--bind", "127.0.0.1"]);
        command
            .args(["--save", "", "--appendonly", "no"])
            .arg("--dir")
            .arg(folder);
        let server = Server::start_when(&mut command, address, || {
            TcpStream::connect(address).is_ok()
        })?;
        Ok(Self { server })
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> String {
        self.server.address.port().to_string()
    }
}

/// The app on the shop; with a Redis it has the mail routes.
pub(crate) fn express(data: &Data, redis: Option<&Redis>) -> Outcome<Server> {
    express_on(data, &data.shop, redis)
}

/// The app on any copy of the shop.
pub(crate) fn express_on(data: &Data, shop: &Path, redis: Option<&Redis>) -> Outcome<Server> {
    let address = free_address()?;
    let mut command = node("server.js");
    command
        .env("PORT", address.port().to_string())
        .env("SHOP", shop)
        .env("EXPORT", &data.export);
    if let Some(redis) = redis {
        command.env("REDIS_PORT", redis.port());
    }
    Server::start(&mut command, address, "/noop")
}

/// The process that delivers the queued mails; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Mailer {
    child: Child,
    mail: PathBuf,
}

impl Mailer {
    /// Starts it on that Redis.
    pub(crate) fn start(data: &Data, redis: &Redis) -> Outcome<Self> {
        let mail = data.folder.join("express-mail");
        std::fs::create_dir_all(&mail).map_err(|error| error.to_string())?;
        let mut command = node("worker.js");
        command.env("MAIL", &mail).env("REDIS_PORT", redis.port());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command
            .spawn()
            .map_err(|error| format!("node worker.js: {error}"))?;
        Ok(Self { child, mail })
    }

    /// How many mails it has delivered.
    pub(crate) fn delivered(&self) -> usize {
        std::fs::read_dir(&self.mail).map_or(0, Iterator::count)
    }
}

impl Drop for Mailer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Node on a file of the peer's folder, as in production.
pub(crate) fn node(file: &str) -> Command {
    let mut command = Command::new("node");
    command
        .arg(places::bench("peers/express").join(file))
        .env("NODE_ENV", "production");
    command
}
