//! The parameters of an address, under the names that libpq has for them.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use super::address::{Encryption, InvalidAddress, decoded};
use super::endpoint::{Endpoint, StatementMode};
use super::iam::Authentication;
use super::secret::Secret;

/// What the parameters say.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    pub(super) host: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) user: Option<String>,
    pub(super) password: Option<Secret>,
    pub(super) database: Option<String>,
    pub(super) encryption: Wish,
    pub(super) bound: bool,
    pub(super) application_name: Option<String>,
    pub(super) options: Option<String>,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) endpoint: Option<Endpoint>,
    pub(super) statements: Option<StatementMode>,
    pub(super) authentication: Authentication,
}

/// What was said about encryption.
#[derive(Debug, Default)]
pub(super) struct Wish {
    encrypted: Option<bool>,
    ca_file: Option<PathBuf>,
    insecure: bool,
}

/// All of them, for suggestions.
const NAMES: [&str; 17] = [
    "application_name",
    "auth",
    "ca_file",
    "channel_binding",
    "connect_timeout",
    "dbname",
    "host",
    "insecure",
    "options",
    "password",
    "pooler",
    "port",
    "sslmode",
    "sslrootcert",
    "statements",
    "user",
    "pgbouncer",
];

/// Reads what stands after the question mark.
pub(super) fn read(query: &str) -> Result<Parameters, InvalidAddress> {
    let mut parameters = Parameters::default();
    let mut seen: Vec<&str> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if seen.contains(&name) {
            return Err(InvalidAddress::new(format!(
                "the parameter {name} is written twice"
            )));
        }
        seen.push(name);
        let value = decoded(value, &format!("parameter {name}"))?;
        one(&mut parameters, name, value)?;
    }
    Ok(parameters)
}

fn one(parameters: &mut Parameters, name: &str, value: String) -> Result<(), InvalidAddress> {
    match name {
        "auth" => {
            parameters.authentication = match &*value {
                "password" => Authentication::Password,
                "rds-iam" => Authentication::RdsIam,
                _ => return Err(one_of(name, "password or rds-iam")),
            }
        }
        "host" => parameters.host = Some(value),
        "port" => parameters.port = Some(number(name, &value)?),
        "user" => parameters.user = Some(value),
        "password" => parameters.password = Some(Secret::new(value)),
        "dbname" => parameters.database = Some(value),
        "application_name" => parameters.application_name = Some(value),
        "connect_timeout" => {
            parameters.connect_timeout = Some(Duration::from_secs(
                number::<NonZeroU32>(name, &value)?.get().into(),
            ));
        }
        "sslmode" => parameters.encryption.encrypted = Some(encrypted(&value)?),
        "sslrootcert" | "ca_file" => match &*value {
            "system" => {}
            _ => parameters.encryption.ca_file = Some(value.into()),
        },
        "insecure" => parameters.encryption.insecure = yes_or_no(name, &value)?,
        "channel_binding" => {
            parameters.bound = match &*value {
                "require" => true,
                "prefer" | "disable" => false,
                _ => return Err(one_of(name, "require, prefer or disable")),
            }
        }
        "options" => parameters.options = Some(options(value)?),
        "pooler" => {
            let endpoint = value.parse().map_err(|_| one_of(name, Endpoint::NAMES))?;
            parameters.endpoint = Some(endpoint);
        }
        // As other clients have it.
        "pgbouncer" if yes_or_no(name, &value)? => {
            parameters.endpoint = Some(Endpoint::PgBouncer(None));
        }
        "pgbouncer" => {}
        "statements" => {
            let mode = value
                .parse()
                .map_err(|_| one_of(name, "named or unnamed"))?;
            parameters.statements = Some(mode);
        }
        _ => return Err(unknown(name)),
    }
    Ok(())
}

impl Wish {
    /// What it comes to. Where nothing was said: verified, and plain where nothing leaves the machine.
    pub(super) fn resolve(self, is_local: bool) -> Result<Encryption, InvalidAddress> {
        let about_tls = self.insecure || self.ca_file.is_some();
        match self.encrypted {
            Some(false) if about_tls => Err(InvalidAddress::new(
                "sslmode=disable contradicts ca_file, sslrootcert and insecure: leave one out",
            )),
            Some(false) => Ok(Encryption::None),
            None if is_local && !about_tls => Ok(Encryption::None),
            _ if self.insecure && self.ca_file.is_some() => Err(InvalidAddress::new(
                "insecure=true looks at no certificate, so ca_file means nothing: leave one out",
            )),
            _ if self.insecure => Ok(Encryption::Unverified),
            _ => Ok(Encryption::Verified(self.ca_file)),
        }
    }
}

/// Whether the mode encrypts. Every one that does verifies: stricter than libpq, where `require` trusts anybody.
fn encrypted(mode: &str) -> Result<bool, InvalidAddress> {
    match mode {
        "disable" => Ok(false),
        "require" | "verify-ca" | "verify-full" => Ok(true),
        "allow" | "prefer" => Err(InvalidAddress::new(format!(
            "sslmode={mode} would give up encryption without a word: write verify-full, or disable on a network you trust"
        ))),
        _ => Err(one_of("sslmode", "disable or verify-full")),
    }
}

/// Only what tells Neon's proxy the endpoint: poolers refuse the rest, and it would be lost behind them.
fn options(value: String) -> Result<String, InvalidAddress> {
    let names_endpoint = |word: &str| word.starts_with("endpoint=") || word.starts_with("project=");
    if value.split_whitespace().count() == 1 && names_endpoint(&value) {
        return Ok(value);
    }
    Err(InvalidAddress::new(
        "options may only hold endpoint=NAME (for Neon): poolers refuse others. Settings of the session belong to the \
         role: ALTER ROLE name SET setting = value",
    ))
}

fn number<N: std::str::FromStr>(name: &str, value: &str) -> Result<N, InvalidAddress> {
    value.parse().map_err(|_| {
        InvalidAddress::new(format!(
            "the parameter {name} is not a whole number in its range"
        ))
    })
}

fn yes_or_no(name: &str, value: &str) -> Result<bool, InvalidAddress> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(one_of(name, "true or false")),
    }
}

fn one_of(name: &str, choices: &str) -> InvalidAddress {
    InvalidAddress::new(format!("the parameter {name} is {choices}"))
}

fn unknown(name: &str) -> InvalidAddress {
    let near = NAMES
        .iter()
        .map(|known| (strsim::jaro_winkler(name, known), known))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    InvalidAddress::new(match near {
        Some((_, known)) => format!("the parameter {name} is not known: did you mean {known}?"),
        None => format!(
            "the parameter {name} is not known; there are {}",
            NAMES[..16].join(", ")
        ),
    })
}
