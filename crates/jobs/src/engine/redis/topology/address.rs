//! What the address of a store says: one server, the sentinels that know it, or nodes of a cluster.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use redis::{ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo};

use super::access::Access;
use super::encryption::{self, Encryption};
use super::endpoint::Endpoint;

const SENTINEL_PORT: u16 = 26_379;

/// An address, understood.
#[derive(Debug)]
pub(crate) struct Address {
    pub(super) kind: Kind,
    /// Where to ask first. None for a socket in the file system.
    pub(super) seeds: Vec<Endpoint>,
    /// How its servers are connected to.
    pub(super) access: Access,
    /// Whether certificates are not looked at.
    pub(crate) insecure: bool,
    /// What all keys begin with, if it says so.
    pub(crate) prefix: Option<String>,
}

#[derive(Debug)]
pub(super) enum Kind {
    Server,
    /// The master's name, and how sentinels are connected to.
    Sentinel(String, Box<Access>),
    Cluster,
}

/// The parts of an address with several hosts.
struct Parts<'a> {
    scheme: &'a str,
    /// User and password with their `@`; may be empty.
    user: &'a str,
    hosts: &'a str,
    path: &'a str,
    query: &'a str,
    insecure: bool,
}

/// What the parameters of an address say.
struct Parameters {
    encryption: Encryption,
    prefix: Option<String>,
    sentinel_user: Option<String>,
    sentinel_password: Option<String>,
}

impl Address {
    /// Understands `url`. What it says itself about encryption goes before `encryption`.
    ///
    /// # Errors
    /// A sentence that says what is wrong; it never holds the password.
    pub(crate) fn parse(url: &str, encryption: &Encryption) -> Result<Self, String> {
        let Some(parts) = Parts::of(url)? else {
            return Self::socket(url);
        };
        let parameters = Parameters::read(&parts, encryption.clone())?;
        let (kind, database, usual_port) = match parts.kind() {
            "sentinel" => {
                let (master, database) = parts.master()?;
                let info = parts.connection("sentinel", "", &parameters.encryption)?;
                let sentinels = Access::new(parameters.for_sentinels(info));
                (
                    Kind::Sentinel(master, Box::new(sentinels)),
                    database,
                    Some(SENTINEL_PORT),
                )
            }
            "cluster" => (Kind::Cluster, parts.path.trim_matches('/'), None),
            _ => (Kind::Server, parts.path.trim_matches('/'), None),
        };
        if matches!(kind, Kind::Server) && parts.hosts.contains(',') {
            let base = parts.base();
            return Err(format!(
                "several hosts need {base}+cluster:// or {base}+sentinel://"
            ));
        }
        let mut seeds = Vec::new();
        let mut access = None;
        for host in parts.hosts.split(',').map(str::trim) {
            let host = with_port(host, usual_port);
            let named = parts.connection(&host, database, &parameters.encryption)?;
            let named = Access::new(named);
            seeds.extend(named.endpoint());
            access.get_or_insert(named);
        }
        let access = access.ok_or("it names no host")?;
        if matches!(kind, Kind::Cluster) {
            only_database_0(&access)?;
        }
        Ok(Self {
            kind,
            seeds,
            access,
            insecure: parameters.encryption.insecure,
            prefix: parameters.prefix,
        })
    }

    /// A socket in the file system: it has a path instead of a host.
    fn socket(url: &str) -> Result<Self, String> {
        let info = url.into_connection_info();
        Ok(Self {
            kind: Kind::Server,
            seeds: Vec::new(),
            access: Access::new(info.map_err(|error| error.to_string())?),
            insecure: false,
            prefix: None,
        })
    }
}

impl Parameters {
    fn read(parts: &Parts<'_>, encryption: Encryption) -> Result<Self, String> {
        let kind = parts.kind();
        let mut found = Self {
            encryption,
            prefix: None,
            sentinel_user: None,
            sentinel_password: None,
        };
        found.encryption.insecure |= parts.insecure;
        for pair in parts.query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decoded(value)?;
            let encryption = &mut found.encryption;
            match (name, kind) {
                ("ca_file", _) => encryption.ca_file = Some(value.into()),
                ("cert_file", _) => encryption.certificate_file = Some(value.into()),
                ("key_file", _) => encryption.key_file = Some(value.into()),
                ("insecure", _) => {
                    let parsed = value.parse();
                    encryption.insecure = parsed.map_err(|_| "insecure must be true or false")?;
                }
                ("prefix", _) => found.prefix = Some(value),
                ("sentinel_user", "sentinel") => found.sentinel_user = Some(value),
                ("sentinel_password", "sentinel") => found.sentinel_password = Some(value),
                _ => return Err(unknown_parameter(name, kind)),
            }
        }
        Ok(found)
    }

    /// Sentinels have users of their own and no databases.
    fn for_sentinels(&self, info: ConnectionInfo) -> ConnectionInfo {
        let mut settings = RedisConnectionInfo::default();
        if let Some(user) = &self.sentinel_user {
            settings = settings.set_username(user);
        }
        if let Some(password) = &self.sentinel_password {
            settings = settings.set_password(password);
        }
        info.set_redis_settings(settings)
    }
}

/// A cluster has one database.
pub(super) fn only_database_0(access: &Access) -> Result<(), String> {
    match access.database() {
        0 => Ok(()),
        other => Err(format!(
            "a cluster has database 0 only, the address names {other}"
        )),
    }
}

impl<'a> Parts<'a> {
    /// Takes an address apart; none of an address that has no host.
    fn of(url: &'a str) -> Result<Option<Self>, String> {
        const FORM: &str = "it must look like redis://[user:password@]host[:port][/database]";
        let (scheme, rest) = url.split_once("://").ok_or(FORM)?;
        match scheme {
            "unix" | "redis+unix" | "valkey+unix" => return Ok(None),
            "redis" | "rediss" | "valkey" | "valkeys" | "redis+sentinel" | "rediss+sentinel"
            | "redis+cluster" | "rediss+cluster" => {}
            _ => {
                return Err(format!(
                    "{scheme}:// is not known; {FORM}, rediss:// for TLS, with +sentinel or +cluster"
                ));
            }
        }
        let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let insecure = match fragment {
            "" => false,
            "insecure" => true,
            _ => return Err("only #insecure may stand behind #".to_owned()),
        };
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (user, hosts) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
        Ok(Some(Self {
            scheme,
            user,
            hosts,
            path,
            query,
            insecure,
        }))
    }

    /// `redis` or `rediss`.
    fn base(&self) -> &'a str {
        self.scheme
            .split_once('+')
            .map_or(self.scheme, |(base, _)| base)
    }

    /// `sentinel`, `cluster` or nothing.
    fn kind(&self) -> &'a str {
        self.scheme.split_once('+').map_or("", |(_, kind)| kind)
    }

    /// How one of the hosts is connected to.
    fn connection(
        &self,
        host: &str,
        database: &str,
        encryption: &Encryption,
    ) -> Result<ConnectionInfo, String> {
        let base = self.base();
        let url = format!("{base}://{}{host}/{database}", self.user);
        let info = url.into_connection_info();
        encryption::apply(info.map_err(|error| reason(base, &error))?, encryption)
    }

    /// The master's name and the database.
    fn master(&self) -> Result<(String, &'a str), String> {
        let path = self.path.trim_matches('/');
        let (master, database) = path.split_once('/').unwrap_or((path, ""));
        if master.is_empty() {
            let text =
                "the master's name is missing: redis+sentinel://host:26379,host:26379/MASTER";
            return Err(text.to_owned());
        }
        Ok((decoded(master)?, database))
    }
}

fn decoded(text: &str) -> Result<String, String> {
    let decoded: Result<Cow<'_, str>, _> = percent_decode_str(text).decode_utf8();
    let decoded = decoded.map_err(|_| "a part of it is no text once decoded".to_owned())?;
    Ok(decoded.into_owned())
}

fn with_port(host: &str, usual: Option<u16>) -> Cow<'_, str> {
    let behind = host.rsplit_once(']').map_or(host, |(_, behind)| behind);
    match usual {
        Some(port) if !behind.contains(':') => Cow::Owned(format!("{host}:{port}")),
        _ => Cow::Borrowed(host),
    }
}

fn unknown_parameter(name: &str, kind: &str) -> String {
    let more = if kind == "sentinel" {
        ", sentinel_user, sentinel_password"
    } else {
        ""
    };
    format!(
        "the parameter {name} is not known; there are prefix, ca_file, cert_file, key_file, insecure{more}"
    )
}

fn reason(scheme: &str, error: &redis::RedisError) -> String {
    if scheme.ends_with("ss") && !cfg!(feature = "redis-tls") {
        return "TLS needs the feature redis-tls of paceline-jobs".to_owned();
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn parse(url: &str) -> Address {
        Address::parse(url, &Encryption::default()).unwrap_or_else(|error| panic!("{url}: {error}"))
    }

    fn seeds(address: &Address) -> Vec<String> {
        address.seeds.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn one_server_is_named_by_host_port_and_database() {
        let address = parse("redis://u:p%40ss@h:7/2");
        assert!(matches!(address.kind, Kind::Server));
        assert_eq!(
            (seeds(&address), address.access.database()),
            (vec!["h:7".to_owned()], 2)
        );
        assert_eq!(seeds(&parse("redis://h")), ["h:6379"]);
        assert_eq!(seeds(&parse("redis://[::1]:7")), ["[::1]:7"]);
        assert!(seeds(&parse("unix:///run/redis.sock")).is_empty());
    }

    #[test]
    fn sentinels_know_a_master_by_its_name() {
        let address = parse("redis+sentinel://u:p@a:1,b,[::1]/my%20master/3?sentinel_password=x");
        assert_eq!(seeds(&address), ["a:1", "b:26379", "[::1]:26379"]);
        assert_eq!(address.access.database(), 3);
        let Kind::Sentinel(master, sentinels) = &address.kind else {
            panic!("{address:?}");
        };
        assert_eq!((master.as_str(), sentinels.database()), ("my master", 0));
    }

    #[test]
    fn a_cluster_is_named_by_some_of_its_nodes() {
        let address = parse("redis+cluster://:p@a:1,b:2?prefix={bull}");
        assert_eq!(address.prefix.as_deref(), Some("{bull}"));
        assert!(matches!(address.kind, Kind::Cluster));
        assert_eq!(seeds(&address), ["a:1", "b:2"]);
    }

    #[test]
    fn what_cannot_be_used_is_said_without_the_password() {
        for (url, part) in [
            ("http://h", "http:// is not known"),
            ("h:6379", "redis://"),
            ("redis://:hunter2@a,b", "redis+cluster://"),
            (
                "redis+sentinel://:hunter2@a:1",
                "the master's name is missing",
            ),
            ("redis+cluster://:hunter2@a:1/2", "database 0 only"),
            ("redis://:hunter2@h?ca=x", "the parameter ca is not known"),
            ("redis://h?sentinel_user=x", "the parameter sentinel_user"),
            ("redis://:hunter2@h?ca_file=x", "rediss://"),
            ("redis://:hunter2@h/x", "database"),
            ("redis://h#x", "#insecure"),
            ("redis://", ""),
        ] {
            let error = Address::parse(url, &Encryption::default()).unwrap_err();
            assert!(error.contains(part), "{url}: {error}");
            assert!(!error.contains("hunter2"), "{url}: {error}");
        }
    }
}
