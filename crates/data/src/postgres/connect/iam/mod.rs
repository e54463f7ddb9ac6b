//! Passwords of Amazon RDS that are made, not kept: IAM database authentication.
//!
//! A token is good for a quarter of an hour, and only looked at when a connection begins: one is made for each
//! connection, so there is none to refresh. It travels in plain text inside TLS.

mod credentials;
mod sign;

use std::time::SystemTime;

pub use credentials::{CredentialSource, NoCredentials};

use super::address::{Address, Encryption, Host, InvalidAddress};
use super::secret::Secret;

/// How the password of a connection comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Authentication {
    /// It is the one of the address.
    #[default]
    Password,
    /// It is a token of Amazon RDS, made with the credentials of the environment.
    RdsIam,
}

/// A token for one connection, made now.
///
/// # Errors
/// [`NoCredentials`] says which variable is missing.
pub(super) fn token(
    address: &Address,
    host: &Host,
    source: &CredentialSource,
) -> Result<Secret, NoCredentials> {
    let Host::Tcp(name, port) = host else {
        return Err(NoCredentials::socket());
    };
    let user = address.user().ok_or_else(NoCredentials::user)?;
    let credentials = source.read()?;
    let region = source.region(name)?;
    let signer = sign::Signer {
        credentials: &credentials,
        region: &region,
    };
    Ok(Secret::new(signer.token(
        name,
        *port,
        user,
        SystemTime::now(),
    )))
}

/// Refuses addresses to which a token must not be sent.
pub(super) fn check(address: &Address) -> Result<(), InvalidAddress> {
    if address.authentication != Authentication::RdsIam {
        return Ok(());
    }
    let problem = match address.encryption {
        _ if address.password.is_some() => {
            "auth=rds-iam makes the password: leave it out of the address"
        }
        _ if address.user.is_none() => "auth=rds-iam needs the user's name in the address",
        Encryption::Verified(_) => return Ok(()),
        Encryption::None | Encryption::Unverified => {
            "auth=rds-iam sends a password that only the server may see: leave out sslmode=disable and insecure, and \
             name the certificates of Amazon RDS in ca_file"
        }
    };
    Err(InvalidAddress::new(problem))
}
