//! The PostgreSQL engine on a real server.

mod catalog;
mod leaving;
mod poolers;
mod types;
mod versions;
mod walking;
pub(crate) mod writes;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use paceline_data::Database;
use paceline_data::cursor::CursorKey;
use paceline_data::encode::Neighbours;
use paceline_data::neon::NeonOptions;
use paceline_data::plan::ListPlan;
use paceline_data::postgres::PostgresOptions;
use paceline_data::query::{Dialect, QueryError, parse_list};
use paceline_data::resource::Resources;
use paceline_test_servers::Postgres;

use crate::neon::gateway::Gateway;

/// A database of a test's own.
pub(crate) struct Served {
    server: Arc<Postgres>,
    name: String,
    database: Database,
    resources: Resources,
}

impl Served {
    async fn open(schema: &str) -> Self {
        Self::open_with(schema, |options| options).await
    }

    async fn open_with(
        schema: &str,
        change: impl FnOnce(PostgresOptions) -> PostgresOptions,
    ) -> Self {
        let server = Postgres::shared();
        let name = server.database();
        server.sql(&name, schema);
        let options = PostgresOptions::new(server.url(&name).parse().unwrap())
            .connections(NonZeroUsize::new(2).unwrap())
            .query_timeout(Duration::from_secs(20));
        let database = Database::connect(change(options)).await.unwrap();
        Self::of(server, name, database)
    }

    /// The same over HTTP, through an endpoint of the test's own.
    pub(crate) async fn over_http(
        schema: &str,
        change: impl FnOnce(NeonOptions) -> NeonOptions,
    ) -> (Self, Gateway) {
        let server = Postgres::shared();
        let name = server.database();
        server.sql(&name, schema);
        let gateway = Gateway::start(&server, &name).await;
        let options =
            NeonOptions::new(gateway.url().parse().unwrap()).query_timeout(Duration::from_secs(20));
        let database = Database::connect_neon(change(options)).await.unwrap();
        (Self::of(server, name, database), gateway)
    }

    fn of(server: Arc<Postgres>, name: String, database: Database) -> Self {
        let resources = Resources::discover(database.catalog());
        Self {
            server,
            name,
            database,
            resources,
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
