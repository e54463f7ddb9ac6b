//! `[server]`, `[cache]` and `[secrets]`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;

use super::reader::Section;
use super::redacted::Redacted;
use super::values::{self, Invalid};
use crate::secret::{SHORTEST_PASSPHRASE, Secret, SecretTooShort};

/// `[server]`: where it answers and what it believes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Server {
    /// Where the API answers. Default `127.0.0.1:8080`.
    pub listen: SocketAddr,
    /// Where `/metrics` answers, `None` for nowhere. Default `127.0.0.1:8081`.
    pub admin_listen: Option<SocketAddr>,
    /// How long a client may take to send a request's head, and to begin the next one. Default 30 s.
    pub head_timeout: Duration,
    /// How long a client may take to send a request's body; then 408. Default 30 s.
    pub body_timeout: Duration,
    /// How long a client may take nothing of what is sent; then its connection ends. Default 30 s.
    pub stall_timeout: Duration,
    /// How long a stop waits for requests and jobs under way. Default 10 s.
    pub drain_timeout: Duration,
    /// The largest request body in bytes; a larger one is answered with 413. Default 1 MiB.
    pub max_body: usize,
    /// The `Host` headers that are answered. Default `localhost`, `127.0.0.1`, `[::1]`.
    pub allowed_hosts: AllowedHosts,
    /// What a proxy in front cuts off the path, such as `/shop`: links and addresses in answers begin with it. Default
    /// empty.
    pub public_path: String,
    /// The proxies whose `X-Forwarded-For` is believed. Default none.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether each request is logged. Default no.
    pub log_requests: bool,
}

/// Which `Host` headers are answered; the rest is refused, against DNS rebinding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedHosts {
    /// Every host: `["*"]` in the file.
    Any,
    /// These names (lower case, without port) and the address of `listen`.
    Only(Vec<String>),
}

/// `[cache]`: answers kept ready.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cache {
    /// The bytes all kept answers may take together; 0 keeps none. Default 64 MiB.
    pub size: usize,
}

/// `[secrets]`: where the key comes from that signs cursors and login tokens.
///
/// The environment variable `PACELINE_SECRET` wins over both.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Secrets {
    /// The key itself, as in `PACELINE_SECRET`. Default none.
    pub key: Option<Redacted<String>>,
    /// The file that holds the key; it is made when it does not exist. Default
    /// `state/secret.key`; `None`, only ever without a config file, for the one of the database in the
    /// user's state folder.
    pub key_file: Option<PathBuf>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            admin_listen: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 8081))),
            head_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(30),
            stall_timeout: Duration::from_secs(30),
            drain_timeout: Duration::from_secs(10),
            max_body: 1 << 20,
            allowed_hosts: AllowedHosts::Only(
                ["localhost", "127.0.0.1", "[::1]"]
                    .map(str::to_owned)
                    .to_vec(),
            ),
            public_path: String::new(),
            trusted_proxies: Vec::new(),
            log_requests: false,
        }
    }
}

impl Default for Cache {
    fn default() -> Self {
        Self { size: 64 << 20 }
    }
}

pub(super) fn server(section: &Section<'_, '_>) -> Server {
    let usual = Server::default();
    let server = Server {
        listen: section
            .parsed("listen", values::address)
            .unwrap_or(usual.listen),
        admin_listen: section
            .parsed("admin_listen", values::optional_address)
            .unwrap_or(usual.admin_listen),
        head_timeout: section
            .parsed("head_timeout", values::positive_duration)
            .unwrap_or(usual.head_timeout),
        body_timeout: section
            .parsed("body_timeout", values::positive_duration)
            .unwrap_or(usual.body_timeout),
        stall_timeout: section
            .parsed("stall_timeout", values::positive_duration)
            .unwrap_or(usual.stall_timeout),
        drain_timeout: section
            .parsed("drain_timeout", values::duration)
            .unwrap_or(usual.drain_timeout),
        max_body: section
            .parsed("max_body", body_size)
            .unwrap_or(usual.max_body),
        allowed_hosts: section
            .list("allowed_hosts", values::host)
            .map_or(usual.allowed_hosts, AllowedHosts::from_names),
        public_path: section
            .parsed("public_path", values::route)
            .unwrap_or(usual.public_path),
        trusted_proxies: section
            .list("trusted_proxies", values::network)
            .unwrap_or_default(),
        log_requests: section
            .boolean("log_requests")
            .unwrap_or(usual.log_requests),
    };
    section.finish();
    server
}

pub(super) fn cache(section: &Section<'_, '_>) -> Cache {
    let size = section
        .parsed("size", values::size)
        .unwrap_or(Cache::default().size);
    section.finish();
    Cache { size }
}

pub(super) fn secrets(section: &Section<'_, '_>, folder: &Path) -> Secrets {
    let secrets = Secrets {
        key: section.secret("key", |text| key(text).map(Redacted::new)),
        key_file: section
            .parsed("key_file", values::name)
            .map(|path| folder.join(path)),
    };
    section.finish();
    secrets
}

impl AllowedHosts {
    fn from_names(names: Vec<String>) -> Self {
        if names.iter().any(|name| name == "*") {
            Self::Any
        } else {
            Self::Only(names)
        }
    }
}

fn body_size(text: &str) -> Result<usize, Invalid> {
    match values::size(text)? {
        0 => Err(Invalid::expected(
            "a size larger than zero, such as \"1MiB\"",
        )),
        size => Ok(size),
    }
}

fn key(text: &str) -> Result<String, Invalid> {
    match Secret::from_text(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(SecretTooShort) => Err(Invalid::expected(format!(
            "64 hexadecimal digits or a passphrase of at least {SHORTEST_PASSPHRASE} characters"
        ))),
    }
}
