//! Which tables a statement changes, those reached by cascades and triggers too.
//!
//! Two witnesses are heard. The authorizer is asked while a statement is compiled and names every
//! table its program can write, whatever rows it meets; the update hook names the tables of the rows
//! that changed. The first covers what the second does not report (tables `WITHOUT ROWID`), the
//! second what is written by statements inside virtual tables, compiled once and then kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use rusqlite::hooks::{Action, AuthAction, AuthContext, Authorization};

use crate::catalog::{Catalog, TableId};
use crate::version::Touched;

/// Statements remembered; when there are more, all are compiled again.
const REMEMBERED: usize = 1024;

/// Listens on one connection.
#[derive(Debug)]
pub(super) struct Recorder {
    heard: Arc<Mutex<Heard>>,
    compiled: HashMap<Arc<str>, Vec<TableId>>,
}

#[derive(Debug, Default)]
struct Heard {
    compiled: Option<Vec<TableId>>,
    changed: Vec<TableId>,
}

impl Recorder {
    pub(super) fn install(
        connection: &mut Connection,
        catalog: &Arc<Catalog>,
    ) -> rusqlite::Result<Self> {
        let heard = Arc::<Mutex<Heard>>::default();
        let (listener, names) = (Arc::clone(&heard), Arc::clone(catalog));
        connection.authorizer(Some(move |context: AuthContext<'_>| {
            if let Some(table) = written_table(context.action) {
                let id = names.find(table).map(|table| table.id);
                lock(&listener).compiled.get_or_insert_default().extend(id);
            }
            Authorization::Allow
        }))?;
        let (listener, names) = (Arc::clone(&heard), Arc::clone(catalog));
        connection.update_hook(Some(move |_: Action, _: &str, table: &str, _: i64| {
            let id = names.find(table).map(|table| table.id);
            let mut heard = lock(&listener);
            if heard.changed.last().copied() != id {
                heard.changed.extend(id);
            }
        }))?;
        Ok(Self {
            heard,
            compiled: HashMap::new(),
        })
    }

    /// Forgets what was heard before the statement that follows.
    pub(super) fn begin(&mut self, connection: &Connection) {
        if self.compiled.len() >= REMEMBERED {
            self.compiled.clear();
            connection.flush_prepared_statement_cache();
        }
        *lock(&self.heard) = Heard::default();
    }

    /// The tables the statement, now run, has changed. Tables that are not in the catalog are not served, and
    /// only views could show them: those count every commit.
    pub(super) fn end(&mut self, sql: &Arc<str>) -> Touched {
        let Heard { compiled, changed } = std::mem::take(&mut *lock(&self.heard));
        if let Some(tables) = compiled {
            self.compiled.insert(Arc::clone(sql), tables);
        }
        let Some(tables) = self.compiled.get(sql) else {
            return Touched::All;
        };
        let mut touched = Touched::Tables(Vec::new());
        touched.merge(&Touched::Tables(tables.clone()));
        touched.merge(&Touched::Tables(changed));
        touched
    }
}

fn lock(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

fn written_table(action: AuthAction<'_>) -> Option<&str> {
    match action {
        AuthAction::Insert { table_name }
        | AuthAction::Delete { table_name }
        | AuthAction::Update { table_name, .. } => Some(table_name),
        _ => None,
    }
}
