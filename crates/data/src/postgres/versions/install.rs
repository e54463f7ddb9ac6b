//! Puts the triggers in, and takes them out again: exactly what was put in, and nothing else.

use std::time::Instant;

use tokio::time::timeout_at;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::names::{BODY, COMMENT, FUNCTION, LAYOUT, NAME};
use super::read;
use crate::plan::quote;
use crate::pool::Manage as _;
use crate::postgres::connect::{Address, ConnectError, ManagerError, PostgresManager};

/// The schema: whether it is there, and its comment; whether the function is there as it should be.
const PRESENT: &str = "\
    SELECT n.oid IS NOT NULL, pg_catalog.obj_description(n.oid, 'pg_namespace'), \
        EXISTS (SELECT FROM pg_catalog.pg_proc p WHERE p.pronamespace = n.oid AND p.proname = $2 AND p.prosrc = $3), \
        pg_catalog.current_setting('max_prepared_transactions')::int4 > 0 \
    FROM (VALUES (1)) AS one LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = $1";

/// Our triggers, whatever became of them.
const TRIGGERS: &str = "\
    SELECT c.oid, n.nspname, c.relname, t.tgname FROM pg_catalog.pg_trigger t \
    JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid JOIN pg_catalog.pg_namespace s ON s.oid = p.pronamespace \
    WHERE NOT t.tgisinternal AND s.nspname = $1 AND p.proname = $2 ORDER BY 2, 3, 4";

/// Statements that change a database, to be shown before they are run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaChange {
    tables: Vec<String>,
    notes: Vec<String>,
    statements: Vec<String>,
}

/// A database cannot be changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// The address cannot be used.
    #[error("the address of the database cannot be used")]
    Address(#[from] ManagerError),
    /// There is no connection.
    #[error("no connection to the database")]
    Connect(#[from] ConnectError),
    /// The server refused; nothing is changed.
    #[error("the database refused, and nothing is changed")]
    Refused(#[from] tokio_postgres::Error),
    /// A table that was asked for is not there.
    #[error(
        "there is no table or view {0:?}: write names as the schema spells them, with their schema where that is not in \
         the search path (schema.name)"
    )]
    NoTable(String),
    /// The schema's name is taken.
    #[error(
        "the database has a schema {NAME} that Paceline did not make: rename it, or remove it, and try again"
    )]
    NotOurs,
    /// It took too long.
    #[error(
        "the database did not answer in time; if statements were running, they are undone or done as a whole"
    )]
    Late,
}

impl SchemaChange {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }

    /// The tables it is about, with their schemas.
    pub fn tables(&self) -> &[String] {
        &self.tables
    }

    /// What else to know before it is run.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// All of it as one transaction, in SQL.
    pub fn script(&self) -> String {
        let begin = ["BEGIN", "SET LOCAL lock_timeout = '5s'"];
        // Servers that listen look at the triggers anew.
        let told = format!("NOTIFY {NAME}, '{LAYOUT}'");
        let end = [told.as_str(), "COMMIT"];
        let all = begin
            .into_iter()
            .chain(self.statements.iter().map(String::as_str))
            .chain(end);
        all.fold(String::new(), |text, statement| text + statement + ";\n")
    }
}

/// What makes changes of these tables and views known: of all that are served without a configuration when none is
/// named. A view is told of by the tables it reads; partitions, children and parents of a table belong to it.
///
/// # Errors
/// [`InstallError`].
pub async fn installing(
    address: &Address,
    tables: &[String],
    deadline: Instant,
) -> Result<SchemaChange, InstallError> {
    within(deadline, async {
        let manager = PostgresManager::new(address.clone())?;
        let connection = manager.connect(deadline).await?;
        plan_installation(&connection, tables).await
    })
    .await
}

/// What removes everything again that [`installing`] ever put in.
///
/// # Errors
/// [`InstallError`].
pub async fn removing(address: &Address, deadline: Instant) -> Result<SchemaChange, InstallError> {
    within(deadline, async {
        let manager = PostgresManager::new(address.clone())?;
        let connection = manager.connect(deadline).await?;
        plan_removal(&connection).await
    })
    .await
}

/// Runs the change in one transaction.
///
/// # Errors
/// [`InstallError`]; nothing is changed then. A table that somebody keeps locked for five seconds is a refusal.
pub async fn apply(
    address: &Address,
    change: &SchemaChange,
    deadline: Instant,
) -> Result<(), InstallError> {
    within(deadline, async {
        let manager = PostgresManager::new(address.clone())?;
        let connection = manager.connect(deadline).await?;
        // One message: one transaction, through whatever stands in between.
        Ok(connection.batch_execute(&change.script()).await?)
    })
    .await
}

async fn within<T>(
    deadline: Instant,
    doing: impl Future<Output = Result<T, InstallError>>,
) -> Result<T, InstallError> {
    timeout_at(deadline.into(), doing)
        .await
        .unwrap_or(Err(InstallError::Late))
}

/// What is there of ours.
struct Present {
    schema: bool,
    function: bool,
    prepares_transactions: bool,
}

async fn present(client: &Client) -> Result<Present, InstallError> {
    let values: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 3] = [
        (&NAME, Type::TEXT),
        (&FUNCTION, Type::TEXT),
        (&BODY, Type::TEXT),
    ];
    let row = client.query_typed_one(PRESENT, &values).await?;
    let (schema, comment): (bool, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
    if schema && !comment.is_some_and(|comment| comment.starts_with(COMMENT)) {
        return Err(InstallError::NotOurs);
    }
    Ok(Present {
        schema,
        function: row.try_get(2)?,
        prepares_transactions: row.try_get(3)?,
    })
}

/// A trigger of ours: the table's number and name, and its own.
struct Trigger {
    table: u32,
    table_name: String,
    name: String,
}

async fn triggers(client: &Client) -> Result<Vec<Trigger>, InstallError> {
    let values: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] =
        [(&NAME, Type::TEXT), (&FUNCTION, Type::TEXT)];
    let rows = client.query_typed(TRIGGERS, &values).await?;
    let read = rows.iter().map(|row| {
        Ok(Trigger {
            table: row.try_get(0)?,
            table_name: full_name(row.try_get(1)?, row.try_get(2)?),
            name: row.try_get(3)?,
        })
    });
    read.collect()
}

fn full_name(schema: &str, name: &str) -> String {
    format!("{}.{}", quote(schema), quote(name))
}

async fn plan_installation(
    client: &Client,
    tables: &[String],
) -> Result<SchemaChange, InstallError> {
    let present = present(client).await?;
    let broken = triggers(client).await?;
    let schema = read::schema(client).await?;
    let wanted = schema.wanted(tables).map_err(InstallError::NoTable)?;
    let mut missing: Vec<(String, u32)> = wanted
        .into_iter()
        .filter(|number| !schema.relations[number].told)
        .map(|number| {
            let relation = &schema.relations[&number];
            (full_name(&relation.schema, &relation.name), number)
        })
        .collect();
    missing.sort_unstable();
    let mut statements = Vec::new();
    if !missing.is_empty() {
        statements.extend(foundation(&present));
    }
    for (table, number) in &missing {
        let old = broken.iter().filter(|trigger| trigger.table == *number);
        statements.extend(old.map(|old| format!("DROP TRIGGER {} ON {table}", quote(&old.name))));
        statements.push(format!(
            "CREATE TRIGGER {NAME} AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table} FOR EACH STATEMENT \
             EXECUTE FUNCTION {NAME}.{FUNCTION}()"
        ));
        statements.push(format!("ALTER TABLE {table} ENABLE ALWAYS TRIGGER {NAME}"));
    }
    let mut notes = Vec::new();
    if present.prepares_transactions && !missing.is_empty() {
        notes.push(
            "the server allows prepared transactions (max_prepared_transactions): PREPARE TRANSACTION is refused after a \
             change of these tables"
                .to_owned(),
        );
    }
    Ok(SchemaChange {
        tables: missing.into_iter().map(|(name, _)| name).collect(),
        notes,
        statements,
    })
}

/// The schema and the function, as far as they are not there.
fn foundation(present: &Present) -> Vec<String> {
    let mut statements = Vec::new();
    if !present.schema {
        statements.push(format!("CREATE SCHEMA {NAME}"));
        statements.push(format!(
            "COMMENT ON SCHEMA {NAME} IS '{COMMENT} (paceline migrate remove-versions removes it)'"
        ));
    }
    if !present.function {
        statements.push(format!(
            "CREATE OR REPLACE FUNCTION {NAME}.{FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $${BODY}$$"
        ));
    }
    statements
}

async fn plan_removal(client: &Client) -> Result<SchemaChange, InstallError> {
    let present = present(client).await?;
    let triggers = triggers(client).await?;
    let mut statements: Vec<String> = triggers
        .iter()
        .map(|trigger| {
            format!(
                "DROP TRIGGER {} ON {}",
                quote(&trigger.name),
                trigger.table_name
            )
        })
        .collect();
    if present.schema {
        statements.push(format!("DROP FUNCTION IF EXISTS {NAME}.{FUNCTION}()"));
        statements.push(format!("DROP SCHEMA {NAME}"));
    }
    let mut tables: Vec<String> = triggers
        .into_iter()
        .map(|trigger| trigger.table_name)
        .collect();
    tables.dedup();
    Ok(SchemaChange {
        tables,
        notes: Vec::new(),
        statements,
    })
}
