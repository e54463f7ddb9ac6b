//! What stands between us and the server, and what it lets us do.

use std::fmt;
use std::str::FromStr;

/// What a connection leads to.
///
/// A pooler gives each transaction whichever server connection is free. What belongs to a session (settings,
/// prepared statements, locks, `LISTEN`) then belongs to whoever comes next, unless the pooler keeps track of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Endpoint {
    /// The server itself.
    Direct,
    /// `PgBouncer`, and its version where that is known.
    PgBouncer(Option<Version>),
    /// Amazon RDS Proxy: gives a client a server connection for good after statements on its list.
    RdsProxy,
    /// The pooler of Neon.
    NeonPooler,
    /// Some pooler.
    Pooler,
}

/// A version of `PgBouncer`: major and minor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u16, pub u16);

/// How statements are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementMode {
    /// Prepared once on each connection under a name, and run by that name.
    Named,
    /// Parsed and run in one message without a name: nothing of it outlives the transaction. What poolers need.
    Unnamed,
}

/// The first version that follows named statements.
const FOLLOWS: Version = Version(1, 21);

/// The first version that does so without being told to (`max_prepared_statements`).
const FOLLOWS_BY_DEFAULT: Version = Version(1, 24);

impl Endpoint {
    /// The names in configurations.
    pub(super) const NAMES: &str =
        "none, pgbouncer, pgbouncer-1.24 (or its version), rds-proxy, neon or other";

    /// Its name in configurations: what [`Endpoint::from_str`] reads.
    pub fn name(self) -> String {
        match self {
            Self::Direct => "none".to_owned(),
            Self::PgBouncer(None) => "pgbouncer".to_owned(),
            Self::PgBouncer(Some(version)) => format!("pgbouncer-{version}"),
            Self::RdsProxy => "rds-proxy".to_owned(),
            Self::NeonPooler => "neon".to_owned(),
            Self::Pooler => "other".to_owned(),
        }
    }

    /// What the host's name tells, if anything.
    ///
    /// ```
    /// use paceline_data::postgres::connect::Endpoint;
    ///
    /// let found = Endpoint::of_host("ep-cool-rain-123456-pooler.eu-central-1.aws.neon.tech");
    /// assert_eq!(found, Some(Endpoint::NeonPooler));
    /// assert_eq!(Endpoint::of_host("db.example.com"), None);
    /// ```
    pub fn of_host(host: &str) -> Option<Self> {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let first = host.split('.').next().unwrap_or_default();
        let is_amazon =
            host.ends_with(".rds.amazonaws.com") || host.ends_with(".rds.amazonaws.com.cn");
        if is_amazon
            && host
                .split('.')
                .skip(1)
                .any(|label| label.starts_with("proxy-"))
        {
            Some(Self::RdsProxy)
        } else if host.ends_with(".neon.tech") {
            let is_pooled = first.ends_with("-pooler");
            Some(if is_pooled {
                Self::NeonPooler
            } else {
                Self::Direct
            })
        } else if host.ends_with(".pooler.supabase.com") {
            Some(Self::Pooler)
        } else {
            None
        }
    }

    /// The statements to use here by default: named ones only where they are certain to work.
    pub fn statements(self) -> StatementMode {
        match self {
            Self::Direct => StatementMode::Named,
            Self::PgBouncer(Some(version)) if version >= FOLLOWS_BY_DEFAULT => StatementMode::Named,
            Self::PgBouncer(_) | Self::RdsProxy | Self::NeonPooler | Self::Pooler => {
                StatementMode::Unnamed
            }
        }
    }

    /// Whether named statements may be used here at all, when they are asked for.
    fn allows_named(self) -> bool {
        match self {
            Self::Direct => true,
            Self::PgBouncer(Some(version)) => version >= FOLLOWS,
            // What it is was not said, and no answer of it would tell.
            Self::PgBouncer(None) | Self::RdsProxy | Self::NeonPooler | Self::Pooler => false,
        }
    }

    /// The statements to use here when `wish` was asked for.
    ///
    /// # Errors
    /// When named statements were, and this may mix up those of different clients.
    pub fn statements_for(self, wish: Option<StatementMode>) -> Result<StatementMode, UnsafeHere> {
        match wish {
            Some(StatementMode::Named) if !self.allows_named() => Err(UnsafeHere(self)),
            Some(wish) => Ok(wish),
            None => Ok(self.statements()),
        }
    }

    /// Whether a request to cancel reaches the server.
    pub fn cancels(self) -> bool {
        !matches!(self, Self::RdsProxy)
    }

    /// Whether a session is ours for as long as the connection stands, so that it may `LISTEN`.
    pub fn keeps_session(self) -> bool {
        self == Self::Direct
    }
}

/// Named statements were asked for behind something that may mix up those of different clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "named statements are not safe behind {0}: it may run another client's statement under the same name. Leave out \
     statements = \"named\"; if this is PgBouncer 1.21 or later, say so: pooler = \"pgbouncer-1.24\""
)]
pub struct UnsafeHere(Endpoint);

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => f.write_str("PostgreSQL"),
            Self::PgBouncer(Some(version)) => write!(f, "PgBouncer {version}"),
            Self::PgBouncer(None) => f.write_str("PgBouncer of an unknown version"),
            Self::RdsProxy => f.write_str("RDS Proxy"),
            Self::NeonPooler => f.write_str("Neon's pooler"),
            Self::Pooler => f.write_str("a pooler"),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// The text names no endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected none, pgbouncer, pgbouncer-1.24 (or its version), rds-proxy, neon or other")]
pub struct UnknownEndpoint;

impl FromStr for Endpoint {
    type Err = UnknownEndpoint;

    fn from_str(text: &str) -> Result<Self, UnknownEndpoint> {
        match text {
            "none" => Ok(Self::Direct),
            "pgbouncer" => Ok(Self::PgBouncer(None)),
            "rds-proxy" => Ok(Self::RdsProxy),
            "neon" => Ok(Self::NeonPooler),
            "other" => Ok(Self::Pooler),
            _ => {
                let version = text
                    .strip_prefix("pgbouncer-")
                    .and_then(|text| text.parse().ok());
                version
                    .map(|version| Self::PgBouncer(Some(version)))
                    .ok_or(UnknownEndpoint)
            }
        }
    }
}

impl FromStr for Version {
    type Err = UnknownEndpoint;

    /// `1.24`; a third number is taken and means nothing.
    fn from_str(text: &str) -> Result<Self, UnknownEndpoint> {
        let mut numbers = text
            .split('.')
            .map(|number| number.parse().map_err(|_| UnknownEndpoint));
        match (
            numbers.next(),
            numbers.next(),
            numbers.next(),
            numbers.next(),
        ) {
            (Some(major), Some(minor), None | Some(Ok(_)), None) => Ok(Self(major?, minor?)),
            _ => Err(UnknownEndpoint),
        }
    }
}

/// The text names no statement mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected named or unnamed")]
pub struct UnknownMode;

impl FromStr for StatementMode {
    type Err = UnknownMode;

    fn from_str(text: &str) -> Result<Self, UnknownMode> {
        match text {
            "named" => Ok(Self::Named),
            "unnamed" => Ok(Self::Unnamed),
            _ => Err(UnknownMode),
        }
    }
}

impl fmt::Display for StatementMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Named => "named",
            Self::Unnamed => "unnamed",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_statements_are_used_only_where_they_are_certain_to_work() {
        use StatementMode::{Named, Unnamed};
        for (name, usual, may_be_named) in [
            ("none", Named, true),
            ("pgbouncer", Unnamed, false),
            ("pgbouncer-1.18", Unnamed, false),
            ("pgbouncer-1.20.1", Unnamed, false),
            ("pgbouncer-1.21", Unnamed, true),
            ("pgbouncer-1.23", Unnamed, true),
            ("pgbouncer-1.24.1", Named, true),
            ("pgbouncer-2.0", Named, true),
            ("rds-proxy", Unnamed, false),
            ("neon", Unnamed, false),
            ("other", Unnamed, false),
        ] {
            let endpoint: Endpoint = name.parse().expect(name);
            assert_eq!(endpoint.name().parse(), Ok(endpoint));
            assert_eq!(endpoint.statements_for(None), Ok(usual), "{name}");
            assert_eq!(
                endpoint.statements_for(Some(Named)).is_ok(),
                may_be_named,
                "{name}"
            );
            assert_eq!(
                endpoint.statements_for(Some(Unnamed)),
                Ok(Unnamed),
                "{name}"
            );
        }
        for wrong in [
            "",
            "direct",
            "pgbouncer-",
            "pgbouncer-1",
            "pgbouncer-1.x",
            "pgbouncer-1.2.3.4",
            "PgBouncer",
        ] {
            assert!(wrong.parse::<Endpoint>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn hosts_of_known_services_are_recognised_by_whole_labels() {
        use Endpoint::{Direct, NeonPooler, Pooler, RdsProxy};
        for (host, expected) in [
            (
                "shop.proxy-abc123.eu-west-1.rds.amazonaws.com",
                Some(RdsProxy),
            ),
            (
                "reader.endpoint.proxy-abc123.eu-west-1.rds.amazonaws.com",
                Some(RdsProxy),
            ),
            (
                "shop.proxy-abc123.cn-north-1.rds.amazonaws.com.cn",
                Some(RdsProxy),
            ),
            ("proxy-of-ours.abc123.eu-west-1.rds.amazonaws.com", None),
            ("shop.abc123.eu-west-1.rds.amazonaws.com", None),
            ("ep-x-1.eu-central-1.aws.neon.tech", Some(Direct)),
            (
                "EP-X-1-POOLER.eu-central-1.aws.neon.tech.",
                Some(NeonPooler),
            ),
            ("aws-0-eu-west-1.pooler.supabase.com", Some(Pooler)),
            ("neon.tech.example.com", None),
            ("", None),
        ] {
            assert_eq!(Endpoint::of_host(host), expected, "{host}");
        }
    }
}
