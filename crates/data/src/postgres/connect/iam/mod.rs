//! Passwords of Amazon RDS that are made, not kept: IAM database authentication.
//!
//! A token is good for a quarter of an hour, and only looked at when a connection begins: one is made for each
//! connection, so there is none to refresh; what it is signed with is ([`CredentialSource`]). It travels in plain text
//! inside TLS.

mod ask;
mod container;
mod credentials;
mod error;
mod instance;
mod sign;
mod source;
#[cfg(test)]
mod tests;

use std::time::{Instant, SystemTime};

pub use error::NoCredentials;
pub use source::CredentialSource;

use super::address::{Address, Encryption, Host, InvalidAddress};
use super::secret::Secret;

/// How the password of a connection comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Authentication {
    /// It is the one of the address.
    #[default]
    Password,
    /// It is a token of Amazon RDS, made with the credentials of a [`CredentialSource`].
    RdsIam,
}

/// A token for one connection, made now.
///
/// # Errors
/// [`NoCredentials`] says what is missing.
pub(super) async fn token(
    address: &Address,
    host: &Host,
    source: &CredentialSource,
    deadline: Instant,
) -> Result<Secret, NoCredentials> {
    let Host::Tcp(name, port) = host else {
        return Err(NoCredentials::because(
            "the address is a socket of this machine",
        ));
    };
    let user = address.user();
    let user = user.ok_or_else(|| NoCredentials::because("the address names no user"))?;
    let region = source.region(name)?;
    let credentials = source.read(deadline).await?;
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
