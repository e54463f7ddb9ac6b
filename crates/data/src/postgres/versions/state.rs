//! Whether a database tells versions, for those who operate it.

use std::fmt;

/// Whether stamps are to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum VersionState {
    /// The engine tells of every change by itself: SQLite.
    BuiltIn,
    /// Nobody tells of changes: MySQL.
    Absent,
    /// Nothing is installed in the database.
    NotInstalled,
    /// It is installed, and cannot be used as things are.
    NotUsed(NotUsed),
    /// Changes are told.
    Told {
        /// Tables whose versions are not known, each with the reason.
        except: Vec<String>,
    },
    /// Nobody is heard at the moment; that is tried again.
    Lost,
}

/// Why installed versions are not used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotUsed {
    /// The address leads to something that lends sessions to others.
    Pooler(String),
    /// The address names several servers.
    SeveralHosts,
    /// The two addresses lead to different servers or databases.
    OtherServer,
    /// The server that is read follows another one.
    Standby,
}

impl fmt::Display for NotUsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pooler(what) => write!(
                f,
                "the connection that listens would go through {what}, which lends its session to others: \
                 name an address of the server itself in `listen_url` of [database]"
            ),
            Self::SeveralHosts => f.write_str(
                "the address names several hosts, and which one a query reads is not known to who listens: \
                 name one host",
            ),
            Self::OtherServer => f.write_str(
                "`url` and `listen_url` lead to different servers or databases: what one of them tells is not true of \
                 the other",
            ),
            Self::Standby => f.write_str(
                "the server that is read is a standby, which follows its primary at a distance",
            ),
        }
    }
}

impl fmt::Display for VersionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("known, whoever writes"),
            Self::Absent => f.write_str("there are none: answers are tagged by their bytes"),
            Self::NotInstalled => f.write_str(
                "not installed (`paceline migrate install-versions URL`): answers are tagged by their bytes",
            ),
            Self::NotUsed(reason) => write!(f, "installed and not used: {reason}"),
            Self::Told { except } if except.is_empty() => f.write_str("told by triggers"),
            Self::Told { except } => {
                write!(f, "told by triggers, except: {}", except.join("; "))
            }
            Self::Lost => f.write_str("installed, and nobody is heard at the moment"),
        }
    }
}
