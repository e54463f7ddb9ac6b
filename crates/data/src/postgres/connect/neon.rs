//! What the addresses of Neon must say, so that its proxy finds the endpoint.

use super::address::{Encryption, Host, InvalidAddress};

/// Refuses what Neon's proxy would refuse: connections without TLS, whose name leads to the endpoint, and options that
/// name another endpoint than the host does.
pub(super) fn check(
    hosts: &[Host],
    encryption: &Encryption,
    options: Option<&str>,
) -> Result<(), InvalidAddress> {
    let named = options
        .and_then(|options| options.split_once('='))
        .map(|(_, name)| name);
    for host in hosts {
        let Host::Tcp(name, _) = host else { continue };
        let Some(endpoint) = endpoint(name) else {
            continue;
        };
        if *encryption == Encryption::None {
            return Err(InvalidAddress::new(
                "Neon finds the database by the name that TLS sends: leave out sslmode=disable",
            ));
        }
        if named.is_some_and(|named| named != endpoint) {
            return Err(InvalidAddress::new(
                "options names another endpoint than the host does: leave it out, or write the host's",
            ));
        }
    }
    Ok(())
}

/// The endpoint that a host's name tells, pooled or not.
fn endpoint(host: &str) -> Option<&str> {
    let host = host.strip_suffix('.').unwrap_or(host);
    let (first, _) = host.strip_suffix(".neon.tech")?.split_once('.')?;
    let name = first.strip_suffix("-pooler").unwrap_or(first);
    name.starts_with("ep-").then_some(name)
}
