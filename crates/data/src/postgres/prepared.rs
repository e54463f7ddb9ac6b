//! The named statements of one connection.

use std::collections::HashMap;
use std::sync::Arc;

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Statement};

/// Statements kept by each connection: lists, selections and filters in use at a time.
const KEPT: usize = 256;

/// What is kept, each with the number of its last use. The one not used for longest makes room; the driver closes
/// it on the server.
#[derive(Debug, Default)]
pub(in crate::postgres) struct Prepared {
    by_text: HashMap<Arc<str>, (Statement, u64)>,
    uses: u64,
}

impl Prepared {
    /// The statement of this text, prepared if it is new.
    pub(super) async fn get(
        &mut self,
        client: &Client,
        sql: &Arc<str>,
        parameters: usize,
    ) -> Result<Statement, tokio_postgres::Error> {
        self.uses += 1;
        if let Some((statement, last_use)) = self.by_text.get_mut(sql) {
            *last_use = self.uses;
            return Ok(statement.clone());
        }
        let statement = client
            .prepare_typed(sql, &vec![Type::TEXT; parameters])
            .await?;
        if self.by_text.len() >= KEPT {
            self.evict();
        }
        let kept = (statement.clone(), self.uses);
        self.by_text.insert(Arc::clone(sql), kept);
        Ok(statement)
    }

    /// Forgets a statement that the server does not know any more, or not as it was.
    pub(super) fn forget(&mut self, sql: &Arc<str>) {
        self.by_text.remove(sql);
    }

    fn evict(&mut self) {
        let oldest = self
            .by_text
            .iter()
            .min_by_key(|(_, (_, last_use))| *last_use)
            .map(|(text, _)| Arc::clone(text));
        if let Some(text) = oldest {
            self.by_text.remove(&text);
        }
    }
}
