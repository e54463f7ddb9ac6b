//! Tables that a service writes beside its rows.

use clap::Args;
use paceline_data::postgres::PostgresOptions;
use paceline_data::sqlite::{Access, SqliteOptions};
use paceline_data::write::{Told, Transaction};
use paceline_data::{Database, SqlDialect, Statement};

use crate::cli::Failure;
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

    fn schema(self, dialect: SqlDialect) -> [&'static str; 2] {
        match self {
            Self::Idempotency => idempotency_schema(dialect),
            Self::Outbox => outbox_schema(dialect),
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
The role of the URL owns the table. A service that connects as another needs its rights:
  GRANT SELECT, INSERT, UPDATE, DELETE ON paceline_idempotency, paceline_outbox TO app;

On SQLite both are made when they are first needed.")]
pub(super) struct Install {
    /// The database: `postgres://owner@host/shop` or `sqlite:shop.db`
    // Not parsed by clap, which would print it, password and all, when it is wrong.
    #[arg(value_name = "URL")]
    url: String,
}

impl Install {
    pub(super) fn run(self, kind: Kind) -> Result<(), Failure> {
        let url: DatabaseUrl = self.url.parse().map_err(|error| Failure::usage(&error))?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| Failure::run(&error))?;
        let database = runtime.block_on(open(&url))?;
        let made = runtime.block_on(database.transact(move |transaction: &mut dyn Transaction| {
            for sql in kind.schema(transaction.dialect()) {
                let statement = Statement {
                    sql: sql.into(),
                    values: Vec::new(),
                };
                transaction.rows(&statement, &Told::default())?;
            }
            Ok(())
        }));
        database.close();
        made.map_err(|error| Failure::run(&error))?;
        println!("the table {} is there", kind.name());
        Ok(())
    }
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
        DatabaseUrl::MySql(_) => Err(Failure::Usage(
            "MySQL and MariaDB have neither answers that are kept nor jobs that follow writes yet"
                .to_owned(),
        )),
        DatabaseUrl::PlanetScale(_) => Err(Failure::Usage(
            "over PlanetScale's HTTP there are neither answers that are kept nor jobs that follow writes".to_owned(),
        )),
        DatabaseUrl::Neon(_) => Err(Failure::Usage(
            "over HTTP there are neither answers that are kept nor jobs that follow writes: give the postgres:// address of \
             the same database, here and to the service"
                .to_owned(),
        )),
    }
}
