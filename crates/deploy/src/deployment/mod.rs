//! What is deployed: a function, what leads to it, what it leads to.

mod database;
mod entry;
mod times;
mod uses;

use std::num::NonZeroU32;
use std::time::Duration;

pub use database::{Database, DatabaseKind, Proxy};
pub use entry::Entry;
pub use times::Times;
pub use uses::Uses;

/// A function on AWS Lambda with everything around it.
///
/// [`new`](Self::new) has the defaults that each field names; what contradicts itself is found by
/// [`rules`](crate::rules).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Deployment {
    /// The function's name; names of the resources around it begin with it.
    pub name: String,
    /// The processor. Default [`Architecture::Arm64`], whose milliseconds cost a fifth less.
    pub architecture: Architecture,
    /// What is uploaded. Default [`Artifact::Zip`].
    pub artifact: Artifact,
    /// Memory in MB, and with it processor time: 1769 MB is one whole processor. Default 512.
    pub memory: u32,
    /// How long everything may take.
    pub times: Times,
    /// What leads to the function. Default [`Entry::Url`].
    pub entry: Entry,
    /// Whether callers without AWS credentials are let through to the function. Default false.
    pub public: bool,
    /// The alias that callers reach, moved to each new version. Default `live`.
    pub alias: Option<String>,
    /// Environments that are kept ready. Default 5, up to 20.
    pub provisioned: Option<Provisioned>,
    /// Whether environments start from a snapshot of an initialised one. Default false.
    pub snap_start: bool,
    /// The most environments at once. Default: what the account has.
    pub reserved: Option<NonZeroU32>,
    /// How often a schedule calls the function so that it stays warm. Default each 5 minutes.
    pub keep_warm: Option<Duration>,
    /// The database.
    pub database: Database,
    /// Whether the function has an address in a VPC. Default false.
    pub vpc: bool,
    /// An RDS Proxy before the database. Default none.
    pub proxy: Option<Proxy>,
    /// Environment variables, by name.
    pub variables: Vec<Variable>,
    /// How many days log lines are kept. Default 14.
    pub log_days: u32,
    /// What the configuration asks for that matters here.
    pub uses: Uses,
}

/// The processor of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Architecture {
    /// AWS Graviton: `arm64`.
    Arm64,
    /// Intel and AMD: `x86_64`.
    X86_64,
}

/// What is uploaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Artifact {
    /// An archive with a `bootstrap` in it.
    Zip,
    /// A container image.
    Image,
}

/// How many environments are kept ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Provisioned {
    /// So many in busy hours.
    pub usual: NonZeroU32,
    /// At most so many when most of them are in use.
    pub most: NonZeroU32,
}

/// An environment variable of the function, and where its value lies. Values themselves are never part of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Where its value is read when the stack is deployed.
    pub source: Source,
}

/// Where the value of a variable lies.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// In AWS Secrets Manager: the key of the variable's name in the stack's secret.
    Secret,
    /// In the parameter store of AWS Systems Manager, under this path.
    Parameter(String),
}

impl Deployment {
    /// A function with every default.
    pub fn new(name: impl Into<String>, database: Database) -> Self {
        let count = |number: u32| NonZeroU32::MIN.saturating_add(number - 1);
        Self {
            name: name.into(),
            architecture: Architecture::Arm64,
            artifact: Artifact::Zip,
            memory: 512,
            times: Times::default(),
            entry: Entry::Url,
            public: false,
            alias: Some("live".to_owned()),
            provisioned: Some(Provisioned {
                usual: count(5),
                most: count(20),
            }),
            snap_start: false,
            reserved: database.kind.has_sessions().then(|| count(50)),
            keep_warm: Some(Duration::from_mins(5)),
            database,
            vpc: false,
            proxy: None,
            variables: vec![Variable {
                name: "PACELINE_SECRET".to_owned(),
                source: Source::Secret,
            }],
            log_days: 14,
            uses: Uses::default(),
        }
    }
}

impl Architecture {
    /// As AWS writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::X86_64 => "x86_64",
        }
    }
}
