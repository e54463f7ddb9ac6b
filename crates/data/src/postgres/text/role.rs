//! What the role may be: statements of others run with its rights.

use std::time::Instant;

use super::error::TextOpenError;
use crate::pool::{Pool, PoolOptions};
use crate::postgres::connect::{Endpoint, PostgresManager};

/// The roles it is or may become that reach beyond the database: superusers, those that run programs or touch files on
/// the server, and those that make roles, which up to PostgreSQL 15 may give themselves any of these.
const MIGHTY: &str = "\
    SELECT coalesce(pg_catalog.string_agg(rolname::text, ', ' ORDER BY rolname), '') FROM pg_catalog.pg_roles \
    WHERE (rolsuper OR rolcreaterole OR rolname IN ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files')) \
        AND pg_catalog.pg_has_role(session_user, oid, 'MEMBER')";

/// Connects once, and looks at where that leads and as whom.
pub(super) async fn examine(
    manager: &PostgresManager,
    pool: PoolOptions,
    deadline: Instant,
) -> Result<(), TextOpenError> {
    let pool = Pool::new(manager.clone(), pool);
    let lease = pool.acquire(deadline).await?;
    let endpoint = lease.endpoint();
    let looking = lease.query_typed_one(MIGHTY, &[]);
    let row = tokio::time::timeout_at(deadline.into(), looking).await;
    let row = row
        .map_err(|late| TextOpenError::Role(Box::new(late)))?
        .map_err(|error| TextOpenError::Role(Box::new(error)))?;
    let mighty: String = row
        .try_get(0)
        .map_err(|error| TextOpenError::Role(Box::new(error)))?;
    drop(lease);
    pool.close(deadline).await;
    if endpoint != Endpoint::Direct {
        return Err(TextOpenError::Pooled(endpoint.to_string()));
    }
    if !mighty.is_empty() {
        return Err(TextOpenError::Mighty(mighty));
    }
    Ok(())
}
