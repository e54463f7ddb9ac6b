//! Amazon RDS Proxy, where the environment names one beside the address: `RDS_PROXY_ENDPOINT`, as templates of AWS have
//! it. The host of the configuration stays that of the database.

use paceline_data::postgres::connect::Address;

use super::Unopenable;

/// The variable.
pub(super) const VARIABLE: &str = "RDS_PROXY_ENDPOINT";

/// The address through the proxy that the variable names, or as it is without one.
pub(super) fn through(address: Address, value: Option<String>) -> Result<Address, Unopenable> {
    let Some(host) = value.filter(|value| !value.is_empty()) else {
        return Ok(address);
    };
    let address = address
        .through_rds_proxy(&host)
        .map_err(Unopenable::Proxy)?;
    tracing::info!(server = %address, "{VARIABLE} takes the place of the database's host");
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_takes_the_place_of_the_host() {
        let check = |value: Option<&str>, expected: Option<&str>| {
            let address = "postgres://app@db.example.com/shop".parse().unwrap();
            let found = through(address, value.map(str::to_owned)).ok();
            let found = found.map(|address| address.to_string());
            assert_eq!(found.as_deref(), expected, "{value:?}");
        };
        check(None, Some("postgres://app@db.example.com:5432/shop"));
        check(Some(""), Some("postgres://app@db.example.com:5432/shop"));
        check(
            Some("proxy.example.com"),
            Some("postgres://app@proxy.example.com:5432/shop"),
        );
        check(
            Some("proxy.example.com:6000"),
            Some("postgres://app@proxy.example.com:6000/shop"),
        );
        check(Some("postgres://proxy"), None);
    }
}
