//! With which credentials tokens are signed: those that AWS puts into the environment of a function, or that were put
//! there.

use std::fmt;
use std::sync::Arc;

/// Where variables are read.
type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Where credentials come from: variables of the environment, read anew for each token, because they change (Lambda
/// gives a process new ones when it is thawed elsewhere).
#[derive(Clone)]
pub struct CredentialSource(Arc<Lookup>);

/// What a token is signed with.
pub(super) struct Credentials {
    pub(super) key_id: String,
    pub(super) secret: String,
    pub(super) session: Option<String>,
}

impl CredentialSource {
    /// The environment of this process: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` where the
    /// credentials are temporary, and `AWS_REGION` or `AWS_DEFAULT_REGION` where the host's name does not tell it.
    pub fn environment() -> Self {
        Self::of(|name| std::env::var(name).ok())
    }

    /// The same variables from elsewhere.
    pub fn of(lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(lookup))
    }

    fn get(&self, name: &'static str) -> Option<String> {
        (self.0)(name).filter(|value| !value.is_empty())
    }

    pub(super) fn read(&self) -> Result<Credentials, NoCredentials> {
        let required = |name| self.get(name).ok_or(NoCredentials::variable(name));
        Ok(Credentials {
            key_id: required("AWS_ACCESS_KEY_ID")?,
            secret: required("AWS_SECRET_ACCESS_KEY")?,
            session: self.get("AWS_SESSION_TOKEN"),
        })
    }

    /// The region of a host: its name tells it, else the environment.
    pub(super) fn region(&self, host: &str) -> Result<String, NoCredentials> {
        let of_environment = || {
            self.get("AWS_REGION")
                .or_else(|| self.get("AWS_DEFAULT_REGION"))
        };
        of_host(host)
            .map(str::to_owned)
            .or_else(of_environment)
            .ok_or(NoCredentials::variable("AWS_REGION"))
    }
}

/// `name.id.REGION.rds.amazonaws.com`
fn of_host(host: &str) -> Option<&str> {
    let host = host.trim_end_matches('.');
    let name = host
        .strip_suffix(".rds.amazonaws.com")
        .or_else(|| host.strip_suffix(".rds.amazonaws.com.cn"))?;
    name.rsplit('.')
        .next()
        .filter(|region| name.len() > region.len())
}

impl fmt::Debug for CredentialSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CredentialSource")
    }
}

/// No token can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no token for Amazon RDS can be made: {0}")]
pub struct NoCredentials(&'static str);

impl NoCredentials {
    fn variable(name: &str) -> Self {
        Self(match name {
            "AWS_ACCESS_KEY_ID" => "the environment variable AWS_ACCESS_KEY_ID is not set",
            "AWS_SECRET_ACCESS_KEY" => "the environment variable AWS_SECRET_ACCESS_KEY is not set",
            _ => "neither the host's name nor AWS_REGION tells the region",
        })
    }

    pub(super) fn user() -> Self {
        Self("the address names no user")
    }

    pub(super) fn socket() -> Self {
        Self("the address is a socket of this machine")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_is_in_the_hosts_name_or_the_environment() {
        let source =
            CredentialSource::of(|name| (name == "AWS_REGION").then(|| "us-east-1".to_owned()));
        let check = |host: &str, expected: &str| {
            assert_eq!(source.region(host).as_deref(), Ok(expected), "{host}");
        };
        check("shop.abc123.eu-central-1.rds.amazonaws.com", "eu-central-1");
        check("p.proxy-abc.cn-north-1.rds.amazonaws.com.cn", "cn-north-1");
        check("db.example.com", "us-east-1");
        check("rds.amazonaws.com", "us-east-1");
        let empty = CredentialSource::of(|_| Some(String::new()));
        assert_eq!(
            empty.region("db.example.com"),
            Err(NoCredentials::variable("AWS_REGION"))
        );
        assert!(empty.read().is_err(), "an empty variable is none");
    }
}
