use redis::{Client, ConnectionAddr, ConnectionInfo, ProtocolVersion, RedisResult};

use super::endpoint::Endpoint;

/// How servers of one store are connected to: user and password, database, encryption.
#[derive(Debug, Clone)]
pub(super) struct Access(ConnectionInfo);

impl Access {
    /// That of `info`, in the protocol this engine speaks.
    pub(super) fn new(info: ConnectionInfo) -> Self {
        let settings = info
            .redis_settings()
            .clone()
            .set_protocol(ProtocolVersion::RESP3)
            .set_lib_name("paceline", env!("CARGO_PKG_VERSION"));
        Self(info.set_redis_settings(settings))
    }

    /// The server that the address itself names.
    pub(super) fn named(&self) -> RedisResult<Client> {
        Client::open(self.0.clone())
    }

    /// The same, in the database that every server has.
    pub(super) fn in_database_0(&self) -> Self {
        let settings = self.0.redis_settings().clone().set_db(0);
        Self(self.0.clone().set_redis_settings(settings))
    }

    /// Another server, reached alike.
    pub(super) fn to(&self, endpoint: &Endpoint) -> RedisResult<Client> {
        let (host, port) = (endpoint.host.to_string(), endpoint.port);
        let address = match self.0.addr() {
            ConnectionAddr::TcpTls {
                insecure,
                tls_params,
                ..
            } => ConnectionAddr::TcpTls {
                host,
                port,
                insecure: *insecure,
                tls_params: tls_params.clone(),
            },
            _ => ConnectionAddr::Tcp(host, port),
        };
        Client::open(self.0.clone().set_addr(address))
    }

    /// Where the server lies that the address names; none for a socket in the file system.
    pub(super) fn endpoint(&self) -> Option<Endpoint> {
        match self.0.addr() {
            ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
                Some(Endpoint::new(host, *port))
            }
            _ => None,
        }
    }

    pub(super) fn database(&self) -> i64 {
        self.0.redis_settings().db()
    }
}
