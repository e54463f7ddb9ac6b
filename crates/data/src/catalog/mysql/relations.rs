//! Foreign keys and checks.

use std::collections::HashMap;

use super::{Source, Told, text};
use crate::catalog::{Check, ForeignKey, Table};
use crate::sql::MySqlFlavor;

const KEYS: &str = "SELECT TABLE_NAME, CONSTRAINT_NAME, COLUMN_NAME, REFERENCED_TABLE_SCHEMA = DATABASE(), \
        REFERENCED_TABLE_NAME, REFERENCED_COLUMN_NAME \
    FROM information_schema.KEY_COLUMN_USAGE \
    WHERE TABLE_SCHEMA = DATABASE() AND REFERENCED_TABLE_NAME IS NOT NULL \
    ORDER BY TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION";
const CHECKS_OF_MARIADB: &str = "SELECT TABLE_NAME, CONSTRAINT_NAME, CHECK_CLAUSE \
    FROM information_schema.CHECK_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = DATABASE()";
const CHECKS_OF_MYSQL: &str = "SELECT t.TABLE_NAME, c.CONSTRAINT_NAME, c.CHECK_CLAUSE \
    FROM information_schema.CHECK_CONSTRAINTS c JOIN information_schema.TABLE_CONSTRAINTS t \
        ON t.CONSTRAINT_SCHEMA = c.CONSTRAINT_SCHEMA AND t.CONSTRAINT_NAME = c.CONSTRAINT_NAME \
    WHERE c.CONSTRAINT_SCHEMA = DATABASE() AND t.CONSTRAINT_TYPE = 'CHECK'";

/// What tables say of their rows, by the table.
#[derive(Debug)]
pub(super) struct Relations {
    keys: HashMap<String, Vec<Told>>,
    checks: HashMap<String, Vec<(String, String)>>,
}

impl Relations {
    pub(super) async fn read<S: Source>(
        conn: &mut S,
        flavor: MySqlFlavor,
    ) -> Result<Self, S::Error> {
        let mut keys: HashMap<String, Vec<Told>> = HashMap::new();
        for row in conn.rows(KEYS).await? {
            keys.entry(text(&row, 0)).or_default().push(row);
        }
        let query = match flavor {
            MySqlFlavor::MariaDb => CHECKS_OF_MARIADB,
            MySqlFlavor::MySql => CHECKS_OF_MYSQL,
        };
        let mut checks: HashMap<String, Vec<(String, String)>> = HashMap::new();
        for row in conn.rows(query).await? {
            let check = (text(&row, 1), text(&row, 2));
            checks.entry(text(&row, 0)).or_default().push(check);
        }
        Ok(Self { keys, checks })
    }

    /// Whether a column holds JSON: `MariaDB` makes `JSON` a text with this check.
    pub(super) fn is_json(&self, table: &str, column: &str) -> bool {
        let clause = format!("json_valid(`{}`)", column.replace('`', "``"));
        let mut checks = self.checks.get(table).into_iter().flatten();
        checks.any(|(_, check)| *check == clause)
    }

    /// Gives a table its foreign keys and checks. Of a key to another database nothing is known.
    pub(super) fn put(&mut self, table: &mut Table) {
        let place = |name: &str| table.columns.iter().position(|column| column.name == name);
        let mut keys: Vec<(String, Option<ForeignKey>)> = Vec::new();
        for row in self.keys.remove(&table.name).unwrap_or_default() {
            let name = text(&row, 1);
            if keys.last().is_none_or(|(last, _)| *last != name) {
                let key = (text(&row, 3) == "1").then(|| ForeignKey {
                    columns: Vec::new(),
                    schema: None,
                    table: text(&row, 4),
                    references: Vec::new(),
                });
                keys.push((name, key));
            }
            let Some((_, key)) = keys.last_mut() else {
                continue;
            };
            match (place(&text(&row, 2)), key.as_mut()) {
                (Some(column), Some(key)) => {
                    key.columns.push(column);
                    key.references.push(text(&row, 5));
                }
                // One of its columns may not be selected.
                _ => *key = None,
            }
        }
        let checks = self.checks.remove(&table.name).unwrap_or_default();
        let checks = checks.into_iter().map(|(name, clause)| Check {
            columns: mentioned(&clause)
                .filter_map(|column| place(&column))
                .collect(),
            name,
        });
        table.checks = checks.collect();
        table.foreign_keys = keys.into_iter().filter_map(|(_, key)| key).collect();
    }
}

/// The names between backticks in the text of a check.
fn mentioned(clause: &str) -> impl Iterator<Item = String> {
    clause.split('`').skip(1).step_by(2).map(str::to_owned)
}
