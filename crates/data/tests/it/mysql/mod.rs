//! The MySQL engine on a real `MariaDB`.

mod catalog;
mod connecting;
mod leaving;
mod types;
mod walking;
mod writes;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use paceline_data::Database;
use paceline_data::cursor::CursorKey;
use paceline_data::encode::Neighbours;
use paceline_data::mysql::MySqlOptions;
use paceline_data::mysql::connect::{Address, StatementMode};
use paceline_data::plan::ListPlan;
use paceline_data::planetscale::PlanetScaleOptions;
use paceline_data::query::{Dialect, QueryError, parse_list};
use paceline_data::resource::Resources;
use paceline_test_servers::{MariaDb, PlanetScale, PlanetScaleOptions as DoubleOptions};

/// The ways to send statements on connections.
const MODES: [StatementMode; 2] = [StatementMode::Named, StatementMode::Unnamed];
/// All ways to send statements.
const WAYS: [Way; 3] = [
    Way::Tcp(StatementMode::Named),
    Way::Tcp(StatementMode::Unnamed),
    Way::Http,
];

/// A way to a database.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// MySQL's own protocol.
    Tcp(StatementMode),
    /// `PlanetScale`'s, to a double of it.
    Http,
}

async fn connect(
    server: &MariaDb,
    name: &str,
    mode: StatementMode,
    change: impl FnOnce(MySqlOptions) -> MySqlOptions,
) -> Database {
    let address: Address = server.url(name).parse().unwrap();
    let options = MySqlOptions::new(address.with_statements(mode))
        .connections(NonZeroUsize::new(2).unwrap())
        .query_timeout(Duration::from_secs(20));
    Database::connect_mysql(change(options)).await.unwrap()
}

/// A database of a test's own.
struct Served {
    server: Arc<MariaDb>,
    name: String,
    database: Database,
    resources: Resources,
    _double: Option<PlanetScale>,
}

impl Served {
    async fn open(schema: &str) -> Self {
        Self::open_with(schema, |options| options).await
    }

    async fn open_with(schema: &str, change: impl FnOnce(MySqlOptions) -> MySqlOptions) -> Self {
        let server = MariaDb::shared();
        let name = server.database();
        server.sql(&name, schema);
        let mode = StatementMode::Named;
        let database = connect(&server, &name, mode, change).await;
        Self::of(server, name, database, None)
    }

    fn of(
        server: Arc<MariaDb>,
        name: String,
        database: Database,
        double: Option<PlanetScale>,
    ) -> Self {
        let resources = Resources::discover(database.catalog());
        Self {
            server,
            name,
            database,
            resources,
            _double: double,
        }
    }

    /// The same database, reached in another way. It can be written.
    async fn in_way(&self, way: Way) -> Self {
        let (server, name) = (Arc::clone(&self.server), self.name.clone());
        match way {
            Way::Tcp(mode) => {
                let writable = |options: MySqlOptions| options.writable(true);
                let database = connect(&server, &name, mode, writable).await;
                Self::of(server, name, database, None)
            }
            Way::Http => {
                let over = DoubleOptions {
                    database: Some(name.clone()),
                    ..DoubleOptions::default()
                };
                let double = PlanetScale::start_with(&server, over);
                let options = PlanetScaleOptions::new(double.address().parse().unwrap())
                    .query_timeout(Duration::from_secs(20))
                    .writable(true);
                let database = Database::connect_planetscale(options).await.unwrap();
                Self::of(server, name, database, Some(double))
            }
        }
    }

    fn plan(&self, path: &str, query: &str) -> Result<ListPlan, QueryError> {
        let resource = self.resources.by_path(path).unwrap();
        let query = parse_list(&self.resources, resource, Dialect::Plain, query)?;
        ListPlan::new(&self.resources, &query, &CursorKey::new([7; 32]))
    }

    /// A page as it is answered, and the cursor of the next.
    async fn page(&self, path: &str, query: &str) -> (String, Option<String>) {
        let plan = self.plan(path, query).unwrap();
        let answer = self
            .database
            .run(plan.statement.clone(), plan.encoder())
            .await
            .unwrap_or_else(|error| panic!("{error:?}: {}", plan.statement.sql));
        let info = plan.info(&answer.encoder, None, &CursorKey::new([7; 32]));
        let neighbours = Neighbours::of("/p", query, &info, Dialect::Plain);
        let mut body = answer.bytes;
        answer.encoder.finish(&info, &neighbours, "/p", &mut body);
        (String::from_utf8(body).unwrap(), info.next)
    }

    /// The rows of a page, as JSON text.
    async fn rows(&self, path: &str, query: &str) -> String {
        let (page, _) = self.page(path, query).await;
        let rows = page.strip_prefix("{\"data\":").unwrap();
        rows.split(",\"pagination\":").next().unwrap().to_owned()
    }

    fn sql(&self, statements: &str) -> String {
        self.server.sql(&self.name, statements)
    }
}
