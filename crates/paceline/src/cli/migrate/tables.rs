//! `paceline migrate install-idempotency` and `install-outbox`: tables that a service writes beside its rows.

use clap::Args;
use paceline_data::mysql::MySqlOptions;
use paceline_data::planetscale::PlanetScaleOptions;
use paceline_data::postgres::PostgresOptions;
use paceline_data::sqlite::{Access, SqliteOptions};
use paceline_data::write::{Told, Transaction};
use paceline_data::{Database, MySqlFlavor, SqlDialect, Statement, Value};

use crate::cli::Failure;
use crate::cli::confirm::{Consent, confirm};
use crate::config::DatabaseUrl;
use crate::server::{idempotency_schema, outbox_schema};

/// Which table.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Idempotency,
    Outbox,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Idempotency => "paceline_idempotency",
            Self::Outbox => "paceline_outbox",
        }
    }

    fn schema(self, dialect: SqlDialect) -> &'static [&'static str] {
        match self {
            Self::Idempotency => idempotency_schema(dialect),
            Self::Outbox => outbox_schema(dialect),
        }
    }

    /// A column that only the table of this version has.
    fn newest_column(self, dialect: SqlDialect) -> &'static str {
        match self {
            Self::Outbox if dialect != SqlDialect::Sqlite => "claimed_until",
            Self::Idempotency | Self::Outbox => "created_at",
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
The role of the URL owns the table. A service that connects as another needs its rights, in PostgreSQL:
  GRANT SELECT, INSERT, UPDATE, DELETE ON paceline_idempotency, paceline_outbox TO app;
in MySQL and MariaDB, for each of both:
  GRANT SELECT, INSERT, UPDATE, DELETE ON shop.paceline_outbox TO app;

On SQLite both are made when they are first needed. docs/writes.md says what they are for.

Exit codes: 0 done or nothing to do, 1 the database refused, 2 the command line is wrong.

Examples:
  paceline migrate install-outbox \"$OWNER_URL\" --print
  paceline migrate install-idempotency \"$OWNER_URL\" --yes")]
pub(super) struct Install {
    /// The database: `postgres://owner@host/shop`, `mysql://owner@host/shop`, `planetscale://…` or `sqlite:shop.db`
    // Not parsed by clap, which would print it, password and all, when it is wrong.
    #[arg(value_name = "URL")]
    url: String,
    /// Print the SQL and change nothing
    #[arg(long)]
    print: bool,
    #[command(flatten)]
    consent: Consent,
}

impl Install {
    pub(super) fn run(self, kind: Kind) -> Result<(), Failure> {
        let url: DatabaseUrl = self.url.parse().map_err(|error| Failure::usage(&error))?;
        let statements = kind.schema(dialect(&url)?);
        if self.print {
            show(statements);
            return Ok(());
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| Failure::run(&error))?;
        let database = runtime.block_on(open(&url))?;
        let done = (|| {
            if runtime.block_on(is_there(&database, kind))? {
                println!(
                    "-- {url}: the table {} is there: there is nothing to do",
                    kind.name()
                );
                return Ok(());
            }
            show(statements);
            confirm(
                self.consent,
                &format!("Make the table {} in {url}?", kind.name()),
            )?;
            runtime.block_on(make(&database, statements))?;
            println!("-- the table {} is there", kind.name());
            Ok(())
        })();
        database.close();
        done
    }
}

fn show(statements: &[&str]) {
    for sql in statements {
        println!("{sql};");
    }
}

async fn is_there(database: &Database, kind: Kind) -> Result<bool, Failure> {
    let dialect = database.catalog().dialect();
    let sql = match dialect {
        SqlDialect::Postgres => {
            "SELECT 1 FROM information_schema.columns WHERE table_name = $1::text AND column_name = $2::text \
             AND table_schema = ANY (current_schemas(false))"
        }
        SqlDialect::MySql(_) => {
            "SELECT 1 FROM information_schema.columns WHERE table_name = ?1 AND column_name = ?2 \
             AND table_schema = DATABASE()"
        }
        _ => "SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2",
    };
    let names = [kind.name(), kind.newest_column(dialect)];
    let statement = Statement {
        sql: sql.into(),
        values: names.map(|name| Value::Text(name.to_owned())).into(),
    };
    let found = database.rows(statement, 1, 1).await;
    let found = found.map_err(|error| Failure::run(&error))?;
    Ok(!found.is_empty())
}

async fn make(database: &Database, statements: &'static [&'static str]) -> Result<(), Failure> {
    let making = database.transact(move |transaction: &mut dyn Transaction| {
        for sql in statements {
            let statement = Statement {
                sql: (*sql).into(),
                values: Vec::new(),
            };
            transaction.rows(&statement, &Told::default())?;
        }
        Ok(())
    });
    making.await.map_err(|error| Failure::run(&error))
}

/// What the database speaks; both servers that speak MySQL take the same here.
fn dialect(url: &DatabaseUrl) -> Result<SqlDialect, Failure> {
    match url {
        DatabaseUrl::Sqlite(_) => Ok(SqlDialect::Sqlite),
        DatabaseUrl::Postgres(_) => Ok(SqlDialect::Postgres),
        DatabaseUrl::MySql(_) | DatabaseUrl::PlanetScale(_) => {
            Ok(SqlDialect::MySql(MySqlFlavor::MariaDb))
        }
        DatabaseUrl::Neon(_) => Err(over_http()),
    }
}

fn over_http() -> Failure {
    Failure::Usage(
        "over HTTP there are neither answers that are kept nor jobs that follow writes: give the postgres:// address of \
         the same database, here and to the service"
            .to_owned(),
    )
}

async fn open(url: &DatabaseUrl) -> Result<Database, Failure> {
    match url {
        DatabaseUrl::Sqlite(path) => {
            let options = SqliteOptions::new(path).access(Access::ReadWrite);
            Database::open(&options).map_err(|error| Failure::run(&error))
        }
        DatabaseUrl::Postgres(address) => {
            let options = PostgresOptions::new((**address).clone()).writable(true);
            let connected = Database::connect(options).await;
            connected.map_err(|error| Failure::run(&error))
        }
        DatabaseUrl::MySql(address) => {
            let options = MySqlOptions::new((**address).clone()).writable(true);
            let connected = Database::connect_mysql(options).await;
            connected.map_err(|error| Failure::run(&error))
        }
        DatabaseUrl::PlanetScale(address) => {
            let options = PlanetScaleOptions::new((**address).clone()).writable(true);
            let connected = Database::connect_planetscale(options).await;
            connected.map_err(|error| Failure::run(&error))
        }
        DatabaseUrl::Neon(_) => Err(over_http()),
    }
}
