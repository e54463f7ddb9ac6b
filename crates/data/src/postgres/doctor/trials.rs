//! The trials, and what is asked.

use std::io;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::super::connect::raw::{Answer, RawConnection};
use super::super::connect::{
    Address, ConnectError, Endpoint, Host, PostgresManager, StatementMode, Version,
};
use super::CannotExamine;
use super::facts::{Facts, Named, Sharing};
use crate::pool::Manage;

/// How long a statement that has to wait for the other connection is waited for.
const BLOCKED: Duration = Duration::from_millis(500);

/// How many round trips are timed.
const ROUND_TRIPS: usize = 5;

const PROCESS: &str = "SELECT pg_catalog.pg_backend_pid()";

/// All of them, one after the other.
pub(super) async fn all(address: &Address, deadline: Instant) -> Result<Facts, CannotExamine> {
    let manager = PostgresManager::new(address.clone().with_statements(StatementMode::Unnamed))?;
    let begin = Instant::now();
    let connection = manager.connect(deadline).await?;
    let connect = begin.elapsed();
    // Without what was said: the doctor looks for itself.
    let found = manager_of_unknown(address)?
        .connect(deadline)
        .await?
        .endpoint();
    let round_trip = round_trip(&manager, connection).await?;
    let pooler = match found {
        Endpoint::Direct => Console::Nothing,
        _ => console(address, deadline).await,
    };
    let endpoint = endpoint(address, found, &pooler);
    let mut first = RawConnection::open(&manager, deadline).await?;
    let mut second = RawConnection::open(&manager, deadline).await?;
    let (named, sharing) = sharing(&mut first, &mut second, endpoint).await?;
    let settings = Settings::read(&mut first).await?;
    first.close().await;
    second.close().await;
    Ok(Facts {
        said: address.endpoint,
        wants_named: address.statements == Some(StatementMode::Named),
        endpoint,
        pooler: pooler.name(),
        server_version: settings.server_version,
        is_standby: settings.is_standby,
        is_superuser: settings.is_superuser,
        encryption: address.encryption().clone(),
        is_local: address.hosts().iter().all(Host::is_local),
        connect,
        round_trip,
        named,
        sharing,
        takes_options: takes_options(address, deadline).await?,
        cancels: cancels(&manager, deadline).await?,
        max_connections: settings.max_connections,
        statement_timeout: settings.statement_timeout,
    })
}

/// A manager that finds out what its connections lead to, unless the host's name says it.
fn manager_of_unknown(address: &Address) -> Result<PostgresManager, CannotExamine> {
    let address = Address {
        endpoint: None,
        statements: None,
        ..address.clone()
    };
    Ok(PostgresManager::new(address)?)
}

async fn round_trip(
    manager: &PostgresManager,
    mut connection: super::super::connect::PostgresConnection,
) -> Result<Duration, ConnectError> {
    let mut shortest = Duration::MAX;
    for _ in 0..ROUND_TRIPS {
        let begin = Instant::now();
        manager.check(&mut connection).await?;
        shortest = shortest.min(begin.elapsed());
    }
    manager.close(connection).await;
    Ok(shortest)
}

/// What a pooler says on its console.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Console {
    /// Its name and version.
    Says(String),
    /// It has a console, which this role may not use.
    Closed,
    /// Nothing.
    Nothing,
}

impl Console {
    fn name(&self) -> Option<String> {
        match self {
            Self::Says(name) => Some(name.clone()),
            _ => None,
        }
    }
}

/// Asks the database that `PgBouncer` has for its administrators.
async fn console(address: &Address, deadline: Instant) -> Console {
    let address = address.clone().with_database("pgbouncer");
    let Ok(manager) = PostgresManager::new(address) else {
        return Console::Nothing;
    };
    match RawConnection::open(&manager, deadline).await {
        Ok(mut connection) => match connection.simple("SHOW VERSION").await {
            Ok(Ok(Some(version))) => Console::Says(version),
            _ => Console::Nothing,
        },
        Err(error) if error.to_string().contains("not allowed") => Console::Closed,
        Err(_) => Console::Nothing,
    }
}

/// What it is: a host's name that says it, else the console, else what the first connection showed.
fn endpoint(address: &Address, found: Endpoint, console: &Console) -> Endpoint {
    let by_name = match address.hosts().first() {
        Some(Host::Tcp(name, _)) => Endpoint::of_host(name),
        _ => None,
    };
    match console {
        _ if by_name.is_some() || found == Endpoint::Direct => by_name.unwrap_or(found),
        Console::Says(name) => match name.strip_prefix("PgBouncer ") {
            Some(version) => Endpoint::PgBouncer(version.trim().parse::<Version>().ok()),
            None => found,
        },
        Console::Closed => Endpoint::PgBouncer(None),
        Console::Nothing => found,
    }
}

/// Whether two connections share server sessions, and what that does to their named statements.
///
/// The second one holds a session in a transaction, which in a pool is the one the first has just used. Whatever the
/// first one does then happens elsewhere, or has to wait.
async fn sharing(
    first: &mut RawConnection,
    second: &mut RawConnection,
    endpoint: Endpoint,
) -> Result<(Named, Sharing), CannotExamine> {
    let name = format!(
        "paceline_doctor_{:016x}",
        getrandom::u64().unwrap_or_default()
    );
    let tries_named = endpoint != Endpoint::RdsProxy;
    let mine = first.simple(PROCESS).await?;
    if tries_named && let Err(refusal) = first.prepare(&name, "SELECT 'first'").await? {
        return Ok((Named::Fail(refusal.state), Sharing::Own));
    }
    let theirs = second.simple(&format!("BEGIN; {PROCESS}")).await?;
    let (elsewhere, blocked) = beside(first.simple(PROCESS), second).await?;
    let shares = blocked || mine == theirs || mine != elsewhere;
    let sharing = if shares {
        Sharing::Transactions
    } else {
        Sharing::Own
    };
    if !tries_named {
        return Ok((Named::NotTried, sharing));
    }
    // Whether it is there where it was not prepared.
    let held = second.simple("BEGIN; SELECT 1").await?;
    let (moved, _) = beside(first.run(&name), second).await?;
    let named = match (held, moved) {
        (_, Err(refusal)) => Named::Fail(refusal.state),
        _ => together(first, second, &name).await?,
    };
    for connection in [first, second] {
        forget(connection, &name).await?;
    }
    Ok((named, sharing))
}

/// The same name for another statement of the other client.
async fn together(
    first: &mut RawConnection,
    second: &mut RawConnection,
    name: &str,
) -> io::Result<Named> {
    if let Err(refusal) = second.prepare(name, "SELECT 'second'").await? {
        return Ok(Named::Fail(refusal.state));
    }
    for _ in 0..2 {
        for (connection, expected) in [(&mut *first, "first"), (&mut *second, "second")] {
            match connection.run(name).await? {
                Ok(Some(answer)) if answer == expected => {}
                Ok(_) => return Ok(Named::Mixed),
                Err(refusal) => return Ok(Named::Fail(refusal.state)),
            }
        }
    }
    Ok(Named::Work)
}

/// What the first one gets while the second one is in a transaction, which then ends; and whether it had to wait for
/// that.
async fn beside(
    asking: impl Future<Output = Answer>,
    second: &mut RawConnection,
) -> io::Result<(
    Result<Option<String>, super::super::connect::raw::Refusal>,
    bool,
)> {
    let mut asking = std::pin::pin!(asking);
    let early = timeout(BLOCKED, asking.as_mut()).await;
    // It is refused where nothing began.
    let _ = second.simple("ROLLBACK").await?;
    match early {
        Ok(answer) => Ok((answer?, false)),
        Err(_) => Ok((asking.await?, true)),
    }
}

/// Removes the statement from the session that comes first, where a pooler left it.
async fn forget(connection: &mut RawConnection, name: &str) -> io::Result<()> {
    let left =
        format!("BEGIN; SELECT 1 FROM pg_catalog.pg_prepared_statements WHERE name = '{name}'");
    if connection.simple(&left).await? == Ok(Some("1".to_owned())) {
        // What cannot be removed has a name that nobody uses again.
        let _ = connection.simple(&format!("DEALLOCATE {name}")).await?;
    }
    let _ = connection.simple("ROLLBACK").await?;
    Ok(())
}

/// What the server says of itself.
struct Settings {
    server_version: String,
    is_standby: bool,
    is_superuser: bool,
    max_connections: Option<u32>,
    statement_timeout: Option<Duration>,
}

impl Settings {
    async fn read(connection: &mut RawConnection) -> io::Result<Self> {
        let mut ask = async |expression: &str| {
            let answer = connection.simple(&format!("SELECT {expression}")).await?;
            Ok::<_, io::Error>(answer.ok().flatten())
        };
        let version = ask("pg_catalog.current_setting('server_version')").await?;
        let most = ask("pg_catalog.current_setting('max_connections')::int - \
             pg_catalog.current_setting('superuser_reserved_connections')::int")
        .await?;
        let timeout = ask(
            "extract(epoch FROM pg_catalog.current_setting('statement_timeout')::interval) * 1000",
        )
        .await?;
        let milliseconds = timeout
            .and_then(|text| text.parse::<f64>().ok())
            .unwrap_or(0.0);
        Ok(Self {
            server_version: version.unwrap_or_default(),
            is_standby: ask("pg_catalog.pg_is_in_recovery()").await?.as_deref() == Some("t"),
            is_superuser: ask("pg_catalog.current_setting('is_superuser')")
                .await?
                .as_deref()
                == Some("on"),
            max_connections: most.and_then(|text| text.parse().ok()),
            statement_timeout: Some(milliseconds)
                .filter(|bound| *bound > 0.0)
                .and_then(|bound| Duration::try_from_secs_f64(bound / 1000.0).ok()),
        })
    }
}

/// Whether settings may be sent when a connection begins.
async fn takes_options(address: &Address, deadline: Instant) -> Result<bool, CannotExamine> {
    if address.options.is_some() {
        // Neon's proxy reads them; whether others would be taken does not matter then.
        return Ok(false);
    }
    let address = address.clone().with_options("-c statement_timeout=60000");
    let manager = manager_of_unknown(&address)?;
    match manager.connect(deadline).await {
        Ok(connection) => {
            manager.close(connection).await;
            Ok(true)
        }
        Err(error) if error.state().is_some() => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Whether a statement stops when that is asked for.
async fn cancels(manager: &PostgresManager, deadline: Instant) -> Result<bool, CannotExamine> {
    let connection = manager.connect(deadline).await?;
    let sleeping = connection.query_typed("SELECT pg_catalog.pg_sleep(2)", &[]);
    let mut sleeping = std::pin::pin!(sleeping);
    // It has begun when it does not end at once.
    if timeout(Duration::from_millis(100), sleeping.as_mut())
        .await
        .is_ok()
    {
        return Ok(false);
    }
    manager.cancel(&connection).await?;
    let ended = timeout(Duration::from_secs(1), sleeping.as_mut()).await;
    let cancelled = "57014";
    Ok(matches!(ended, Ok(Err(error)) if error.code().is_some_and(|code| code.code() == cancelled)))
}
