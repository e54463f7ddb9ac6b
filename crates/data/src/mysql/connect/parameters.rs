//! The parameters of an address, under the names that MySQL's own clients have for them.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use super::{Encryption, InvalidAddress, StatementMode};
use crate::postgres::connect::address::decoded;

/// What the parameters say.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    pub(super) socket: Option<PathBuf>,
    pub(super) encryption: Wish,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) statements: Option<StatementMode>,
    pub(super) is_proxied: Option<bool>,
}

/// What was said about encryption.
#[derive(Debug, Default)]
pub(super) struct Wish {
    encrypted: Option<bool>,
    ca_file: Option<PathBuf>,
    insecure: bool,
}

/// All of them, for suggestions.
const NAMES: [&str; 8] = [
    "ca_file",
    "connect_timeout",
    "insecure",
    "pooler",
    "socket",
    "ssl-ca",
    "ssl-mode",
    "statements",
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
        one(&mut parameters, name, &value)?;
    }
    Ok(parameters)
}

fn one(parameters: &mut Parameters, name: &str, value: &str) -> Result<(), InvalidAddress> {
    let one_of = |choices: &str| {
        Err(InvalidAddress::new(format!(
            "the parameter {name} is {choices}"
        )))
    };
    match name {
        "socket" if value.starts_with('/') => parameters.socket = Some(value.into()),
        "socket" => return one_of("the whole path of a socket"),
        "ssl-ca" | "ca_file" => parameters.encryption.ca_file = Some(value.into()),
        "ssl-mode" => parameters.encryption.encrypted = Some(encrypted(value)?),
        "insecure" => {
            parameters.encryption.insecure = match value {
                "true" => true,
                "false" => false,
                _ => return one_of("true or false"),
            }
        }
        "connect_timeout" => match value.parse::<NonZeroU32>() {
            Ok(seconds) => {
                let seconds = Duration::from_secs(seconds.get().into());
                parameters.connect_timeout = Some(seconds);
            }
            Err(_) => return one_of("a whole number of seconds"),
        },
        "statements" => match value.parse() {
            Ok(mode) => parameters.statements = Some(mode),
            Err(_) => return one_of("named or unnamed"),
        },
        "pooler" => match value {
            "none" => parameters.is_proxied = Some(false),
            "rds-proxy" | "other" => parameters.is_proxied = Some(true),
            _ => return one_of("none, rds-proxy or other"),
        },
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
                "ssl-mode=disabled contradicts ssl-ca and insecure: leave one out",
            )),
            Some(false) => Ok(Encryption::None),
            None if is_local && !about_tls => Ok(Encryption::None),
            _ if self.insecure && self.ca_file.is_some() => Err(InvalidAddress::new(
                "insecure=true looks at no certificate, so ssl-ca means nothing: leave one out",
            )),
            _ if self.insecure => Ok(Encryption::Unverified),
            _ => Ok(Encryption::Verified(self.ca_file)),
        }
    }
}

/// Whether the mode encrypts. Every one that does verifies: stricter than MySQL's clients, where `REQUIRED` trusts
/// anybody.
fn encrypted(mode: &str) -> Result<bool, InvalidAddress> {
    match mode.to_ascii_lowercase().as_str() {
        "disabled" | "disable" => Ok(false),
        "required" | "require" | "verify_ca" | "verify-ca" | "verify_identity" | "verify-full" => {
            Ok(true)
        }
        "preferred" | "prefer" => Err(InvalidAddress::new(
            "ssl-mode=preferred would give up encryption without a word: write verify-full, or disabled on a network \
             you trust",
        )),
        _ => Err(InvalidAddress::new(
            "the parameter ssl-mode is disabled or verify-full",
        )),
    }
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
            NAMES.join(", ")
        ),
    })
}
