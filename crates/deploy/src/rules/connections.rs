//! Connections to the database: not more than it lets in, and a way to it.

use std::time::Duration;

use super::Refusal;
use crate::deployment::{DatabaseKind, Deployment};

pub(super) fn check(deployment: &Deployment, found: &mut Vec<Refusal>) {
    let database = &deployment.database;
    let (pool, most) = (database.pool.get(), database.max_connections);
    match (deployment.proxy, deployment.reserved) {
        (Some(proxy), _) => {
            if !deployment.vpc {
                found.push(Refusal::ProxyWithoutVpc);
            }
            if !database.kind.has_sessions() {
                found.push(Refusal::ProxyBeforeNothing(name(database.kind)));
            }
            if proxy.borrow.subsec_nanos() != 0
                || proxy.borrow.is_zero()
                || proxy.borrow > Duration::from_mins(5)
            {
                found.push(Refusal::Borrow(proxy.borrow));
            }
        }
        (None, _) if !database.kind.has_sessions() => {}
        (None, None) => found.push(Refusal::UnboundedConnections { pool, most }),
        (None, Some(environments)) => {
            if u64::from(environments.get()) * u64::from(pool) > u64::from(most) {
                found.push(Refusal::Connections {
                    environments: environments.get(),
                    pool,
                    most,
                });
            }
        }
    }
}

fn name(kind: DatabaseKind) -> &'static str {
    match kind {
        DatabaseKind::File { .. } => "a SQLite file",
        DatabaseKind::Http => "a database over HTTP",
        DatabaseKind::Postgres => "PostgreSQL",
        DatabaseKind::MySql => "MySQL",
    }
}
