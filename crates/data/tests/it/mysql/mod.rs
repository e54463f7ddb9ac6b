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
use paceline_data::query::{Dialect, QueryError, parse_list};
use paceline_data::resource::Resources;
use paceline_test_servers::MariaDb;

/// Both ways to send statements.
const MODES: [StatementMode; 2] = [StatementMode::Named, StatementMode::Unnamed];

/// A database of a test's own.
struct Served {
    server: Arc<MariaDb>,
    name: String,
    database: Database,
    resources: Resources,
}

impl Served {
    async fn open(schema: &str) -> Self {
        Self::open_with(schema, |options| options).await
    }

    async fn open_with(schema: &str, change: impl FnOnce(MySqlOptions) -> MySqlOptions) -> Self {
        let server = MariaDb::shared();
        let name = server.database();
        server.sql(&name, schema);
        Self::of(server, name, StatementMode::Named, change).await
    }

    async fn of(
        server: Arc<MariaDb>,
        name: String,
        mode: StatementMode,
        change: impl FnOnce(MySqlOptions) -> MySqlOptions,
    ) -> Self {
        let address: Address = server.url(&name).parse().unwrap();
        let options = MySqlOptions::new(address.with_statements(mode))
            .connections(NonZeroUsize::new(2).unwrap())
            .query_timeout(Duration::from_secs(20));
        let database = Database::connect_mysql(change(options)).await.unwrap();
        let resources = Resources::discover(database.catalog());
        Self {
            server,
            name,
            database,
            resources,
        }
    }

    /// The same database, with statements sent in another way.
    async fn in_mode(&self, mode: StatementMode) -> Self {
        Self::of(
            Arc::clone(&self.server),
            self.name.clone(),
            mode,
            |options| options,
        )
        .await
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
