//! Where credentials come from: variables of the environment, else the endpoint of the container, else that of the
//! machine.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use tokio::sync::Mutex;

use super::credentials::{Age, Credentials, Lent};
use super::error::NoCredentials;
use super::{container, instance};

/// How a variable is read.
type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Where variables are read.
#[derive(Clone)]
pub(super) struct Variables(Arc<Lookup>);

impl Variables {
    pub(super) fn of(lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(lookup))
    }

    /// An empty one is none.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.is_empty())
    }
}

/// Where credentials come from. Clones share what was fetched.
///
/// In this order, as the AWS SDKs have it:
/// 1. `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, where the credentials are temporary, `AWS_SESSION_TOKEN`, read
///    anew for each token, because they change (Lambda gives a process new ones when it is thawed elsewhere);
/// 2. the endpoint of the container, `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` (ECS) or
///    `AWS_CONTAINER_CREDENTIALS_FULL_URI` (EKS Pod Identity), with `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE` or
///    `AWS_CONTAINER_AUTHORIZATION_TOKEN`;
/// 3. the metadata service of an EC2 machine, in its second version, unless `AWS_EC2_METADATA_DISABLED` is `true`.
///
/// What 2 and 3 give is kept until five minutes before its end, and asked for by one at a time; where the endpoint then
/// fails, it is used up to its end.
#[derive(Clone)]
pub struct CredentialSource {
    variables: Variables,
    kept: Arc<Mutex<Option<Lent>>>,
}

impl CredentialSource {
    /// The environment of this process.
    pub fn environment() -> Self {
        Self::of(|name| std::env::var(name).ok())
    }

    /// The same variables from elsewhere.
    pub fn of(lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self {
            variables: Variables::of(lookup),
            kept: Arc::default(),
        }
    }

    /// Credentials for a token that is made now.
    pub(super) async fn read(&self, deadline: Instant) -> Result<Credentials, NoCredentials> {
        if let Some(credentials) = self.of_variables()? {
            return Ok(credentials);
        }
        // Whoever comes while it is being asked waits for that answer.
        let mut kept = self.kept.lock().await;
        let age = |lent: &Lent| lent.age(Timestamp::now());
        if let Some(lent) = kept.as_ref().filter(|lent| age(lent) == Age::Fresh) {
            return Ok(lent.credentials.clone());
        }
        match (self.fetch(deadline).await, &*kept) {
            (Ok(lent), _) => Ok(kept.insert(lent).credentials.clone()),
            (Err(error), Some(lent)) if age(lent) == Age::Ending => {
                tracing::warn!(
                    %error,
                    "there are no new credentials for Amazon RDS; those there are end within five minutes"
                );
                Ok(lent.credentials.clone())
            }
            (Err(error), _) => Err(error),
        }
    }

    fn of_variables(&self) -> Result<Option<Credentials>, NoCredentials> {
        let key_id = self.variables.get("AWS_ACCESS_KEY_ID");
        let secret = self.variables.get("AWS_SECRET_ACCESS_KEY");
        let missing = |name: &str| {
            let text = format!("the environment variable {name} is not set, and its other half is");
            Err(NoCredentials::because(text))
        };
        match (key_id, secret) {
            (Some(key_id), Some(secret)) => Ok(Some(Credentials {
                key_id,
                secret,
                session: self.variables.get("AWS_SESSION_TOKEN"),
            })),
            (None, None) => Ok(None),
            (None, Some(_)) => missing("AWS_ACCESS_KEY_ID"),
            (Some(_), None) => missing("AWS_SECRET_ACCESS_KEY"),
        }
    }

    async fn fetch(&self, deadline: Instant) -> Result<Lent, NoCredentials> {
        if let Some(endpoint) = container::endpoint(&self.variables)? {
            return container::fetch(&self.variables, &endpoint, deadline).await;
        }
        let nowhere = "AWS_ACCESS_KEY_ID is not set, the environment names no endpoint of a container \
                       (AWS_CONTAINER_CREDENTIALS_FULL_URI), and";
        match instance::fetch(&self.variables, deadline).await {
            Ok(Some(lent)) => Ok(lent),
            Ok(None) => Err(NoCredentials::because(format!(
                "{nowhere} the machine is not to be asked (AWS_EC2_METADATA_DISABLED)"
            ))),
            Err(error) => Err(NoCredentials::nowhere(nowhere, error)),
        }
    }

    /// The region of a host: its name tells it, else the environment.
    pub(super) fn region(&self, host: &str) -> Result<String, NoCredentials> {
        let of_environment = || {
            let of = |name| self.variables.get(name);
            of("AWS_REGION").or_else(|| of("AWS_DEFAULT_REGION"))
        };
        of_host(host)
            .map(str::to_owned)
            .or_else(of_environment)
            .ok_or_else(NoCredentials::region)
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
