//! The columns of the tables, and what they hold.

use std::collections::HashMap;

use super::relations::Relations;
use super::types::{Described, kind, labels};
use super::{Source, Told, number, optional, text};
use crate::catalog::{Column, ColumnKind};

/// Every column the role may select.
const COLUMNS: &str = "SELECT TABLE_NAME, COLUMN_NAME, COLUMN_DEFAULT, IS_NULLABLE, DATA_TYPE, COLUMN_TYPE, \
        NUMERIC_PRECISION, NUMERIC_SCALE, EXTRA \
    FROM information_schema.COLUMNS \
    WHERE TABLE_SCHEMA = DATABASE() AND FIND_IN_SET('select', PRIVILEGES) > 0 \
    ORDER BY TABLE_NAME, ORDINAL_POSITION";

/// Columns by the table they belong to.
#[derive(Debug)]
pub(super) struct Columns(HashMap<String, Vec<Column>>);

impl Columns {
    pub(super) async fn read<S: Source>(
        conn: &mut S,
        relations: &Relations,
    ) -> Result<Self, S::Error> {
        let mut all: HashMap<String, Vec<Column>> = HashMap::new();
        for row in conn.rows(COLUMNS).await? {
            let table = text(&row, 0);
            let extra = text(&row, 8).to_ascii_uppercase();
            if !extra.contains("INVISIBLE") {
                let is_json = relations.is_json(&table, &text(&row, 1));
                let column = column(&row, &extra, is_json);
                all.entry(table).or_default().push(column);
            }
        }
        Ok(Self(all))
    }

    /// Takes out the columns of a table.
    pub(super) fn of(&mut self, table: &str) -> Vec<Column> {
        self.0.remove(table).unwrap_or_default()
    }
}

fn column(row: &Told, extra: &str, is_json: bool) -> Column {
    let declared = text(row, 5);
    let (kind, native) = kind(&Described {
        name: &text(row, 4).to_ascii_lowercase(),
        declared: &declared.to_ascii_lowercase(),
        digits: number(row, 6).unwrap_or_default(),
        scale: number(row, 7).unwrap_or_default(),
        labels: &labels(&declared),
        is_json,
    });
    let autoincrement = extra.contains("AUTO_INCREMENT");
    // MariaDB writes the default NULL as a word.
    let default = optional(row, 2).filter(|default| default != "NULL");
    let computed = ["VIRTUAL GENERATED", "STORED GENERATED", "PERSISTENT"];
    Column {
        name: text(row, 1),
        nullable: text(row, 3) == "YES",
        has_default: default.is_some() || autoincrement || extra.contains("DEFAULT_GENERATED"),
        generated: computed.iter().any(|word| extra.contains(word))
            || native.type_name == "geometry",
        key_position: None,
        rowid_alias: false,
        autoincrement,
        labels: (kind == ColumnKind::Enum).then(|| labels(&declared).into()),
        native: Some(native),
        declared,
        kind,
    }
}
