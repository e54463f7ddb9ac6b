//! Why a deployment is refused: each names the thing, and says what to do.

use std::fmt::Display;
use std::time::Duration;

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The name cannot be one.
    #[error(
        "the name {0:?} is no name of a function: 1 to 50 letters, digits, - and _, beginning with a letter"
    )]
    Name(String),
    /// The alias cannot be one.
    #[error("the alias {0:?} is none: 1 to 100 letters and digits, beginning with a letter")]
    Alias(String),
    /// A variable cannot be one.
    #[error("the variable {0:?} cannot be set on Lambda: {1}")]
    Variable(String, &'static str),
    /// A path of the parameter store cannot be one.
    #[error(
        "{1:?} for the variable {0} is no name of a parameter: letters, digits and . - _ /, such as /shop/region"
    )]
    Parameter(String, String),
    /// The memory is out of bounds.
    #[error("{0} MB of memory: Lambda has 128 to 10240")]
    Memory(u32),
    /// Provisioned concurrency with a snapshot.
    #[error(
        "SnapStart and provisioned concurrency exclude each other: leave out one of them (--snap-start, or --provisioned 0)"
    )]
    SnapStartWithProvisioned,
    /// A snapshot of an archive.
    #[error(
        "SnapStart takes snapshots of container images; of a zip on provided.al2023 it is not known to: add --image, or leave out --snap-start"
    )]
    SnapStartOfZip,
    /// A snapshot without a version.
    #[error(
        "SnapStart takes snapshots of published versions, and without an alias nobody reaches one: give --alias NAME"
    )]
    SnapStartWithoutAlias,
    /// Provisioned concurrency without an alias.
    #[error(
        "provisioned concurrency belongs to an alias or a version, never to $LATEST: give --alias NAME, or --provisioned 0"
    )]
    ProvisionedWithoutAlias,
    /// The bounds of provisioned concurrency are the wrong way round.
    #[error(
        "provisioned concurrency of {usual}, up to {most}: the second must not be less (--provisioned-most)"
    )]
    ProvisionedOrder {
        /// In busy hours.
        usual: u32,
        /// At most.
        most: u32,
    },
    /// More is kept ready than may run.
    #[error(
        "provisioned concurrency up to {most} does not fit into a concurrency of {reserved}: lower --provisioned-most, or raise --concurrency"
    )]
    ProvisionedAboveReserved {
        /// Kept ready at most.
        most: u32,
        /// May run at once.
        reserved: u32,
    },
    /// A schedule that `EventBridge` does not know.
    #[error("keeping warm every {}: EventBridge knows whole minutes, from 1m on (--keep-warm 5m, or off)", seconds(.0))]
    KeepWarm(Duration),
    /// A number of days that `CloudWatch` does not know.
    #[error(
        "log lines cannot be kept for {0} days: CloudWatch knows 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545 and 731 (--log-days)"
    )]
    LogDays(u32),
    /// The function's timeout is no whole number of seconds.
    #[error("a function timeout of {}: Lambda counts whole seconds, from 1 to 900 (--timeout)", seconds(.0))]
    FunctionTimeout(Duration),
    /// Two timeouts are in the wrong order.
    #[error("{inner} ({}) must end before {outer} ({}): {advice}", seconds(.inner_time), seconds(.outer_time))]
    Order {
        /// What has to end first.
        inner: &'static str,
        /// Its bound.
        inner_time: Duration,
        /// What has to end later.
        outer: &'static str,
        /// Its bound.
        outer_time: Duration,
        /// What to change.
        advice: &'static str,
    },
    /// The proxy's wait is no whole number of seconds.
    #[error("the proxy counts whole seconds of waiting for a connection, from 1 to 300, not {} (--borrow-timeout)", seconds(.0))]
    Borrow(Duration),
    /// More connections than the server lets in.
    #[error(
        "{environments} environments with {pool} connections each are {} connections, and the database lets {most} in: \
         lower --concurrency or `size` of [pool], put an RDS Proxy between (--proxy), or say what the database lets in (--max-connections)",
        u64::from(*.environments) * u64::from(*.pool)
    )]
    Connections {
        /// Environments at once.
        environments: u32,
        /// Connections of each.
        pool: u32,
        /// Connections that the server lets in.
        most: u32,
    },
    /// Connections have no bound.
    #[error(
        "nothing bounds how many environments connect to the database: give --concurrency N (times {pool}, the pool's size, \
         at most {most}), or put an RDS Proxy between (--proxy)"
    )]
    UnboundedConnections {
        /// Connections of each.
        pool: u32,
        /// Connections that the server lets in.
        most: u32,
    },
    /// A proxy nobody can reach.
    #[error("an RDS Proxy is reached inside its VPC only: give --vpc with --proxy")]
    ProxyWithoutVpc,
    /// A proxy before something that is no server.
    #[error(
        "an RDS Proxy stands before PostgreSQL or MySQL, and {0} is neither: leave out --proxy"
    )]
    ProxyBeforeNothing(&'static str),
    /// A file that would be written.
    #[error(
        "the database is a SQLite file that is written: on Lambda the package is read-only, and each environment has its own \
         copy. Use PostgreSQL or MySQL, or serve it without `write`"
    )]
    WrittenFile,
    /// Jobs in a file.
    #[error(
        "[jobs] keeps jobs in a file, which ends with each environment: use a Redis store, url = \"${{REDIS_URL}}\""
    )]
    JobFile,
    /// A limit in memory.
    #[error(
        "the limit {0:?} is counted in memory, in each environment by itself: write store = \"redis\" in its [[limits]], and url in [limit_settings]"
    )]
    MemoryLimit(String),
    /// Mails in a folder.
    #[error(
        "[email] writes mails into a folder, which ends with each environment: deliver = \"smtps://...\""
    )]
    Maildir,
    /// A worker in a frozen process.
    #[error(
        "[[workers]] of the queue {0:?} would stand still between requests: take the section out of the function's configuration, \
         and run `paceline jobs work` on a server, or as a scheduled function with --until-empty --max-time"
    )]
    Worker(String),
    /// A listener nobody reaches.
    #[error(
        "[sql] is a listener of its own, which nothing leads to on Lambda: take the section out of the function's configuration"
    )]
    Sql,
    /// Hosts nobody asks for.
    #[error(
        "allowed_hosts of [server] has only names of this machine, so every request would be refused: \
         name the domain that leads to the function, or write allowed_hosts = [\"*\"]"
    )]
    LocalHosts,
}

fn seconds(duration: &Duration) -> impl Display + use<> {
    format!("{} s", duration.as_secs_f64())
}
