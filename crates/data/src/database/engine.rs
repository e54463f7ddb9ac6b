//! Which engine a database runs on: the one place that tells them apart.

use crate::mysql::MySqlDatabase;
use crate::neon::NeonDatabase;
use crate::planetscale::PlanetScaleDatabase;
use crate::postgres::PostgresDatabase;
use crate::sqlite::SqliteEngine;

/// The engines.
#[derive(Debug)]
pub(super) enum Engine {
    Sqlite(SqliteEngine),
    Postgres(PostgresDatabase),
    Neon(NeonDatabase),
    MySql(MySqlDatabase),
    PlanetScale(PlanetScaleDatabase),
}
