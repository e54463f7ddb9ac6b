//! Related rows in one value: how a statement gathers them.
//!
//! Each engine gathers values in a form that loses nothing of them: encoders see what they would see in columns.
//! An engine whose driver hands over something else brings it into [`packed`](crate::cell::packed) form.

use super::{SqlDialect, mysql};
use crate::catalog::Shown;
use crate::sqlite::gather;

/// A sub-select of related rows.
#[derive(Debug)]
pub(crate) struct Gathered {
    /// What it is called.
    pub(crate) name: String,
    /// What it reads, `… AS c0`, `… AS c1`. None where [`SqlDialect::gathers_at_once`].
    pub(crate) columns: Vec<String>,
    /// The tables, as they stand after `FROM`.
    pub(crate) from: String,
    /// Which rows are related, in terms of the statement around it.
    pub(crate) condition: String,
    /// ` ORDER BY …`, or nothing.
    pub(crate) order: String,
    /// How many rows at most.
    pub(crate) rows: u32,
    /// What is gathered of each row, in terms of `name`; of the tables where [`SqlDialect::gathers_at_once`].
    pub(crate) cells: Vec<String>,
}

impl SqlDialect {
    /// The expression that has all these rows, in their order.
    pub(crate) fn gather(self, gathered: &Gathered) -> String {
        let Gathered {
            name,
            from,
            condition,
            order,
            rows,
            ..
        } = gathered;
        let or_one = |items: &[String]| {
            if items.is_empty() {
                "1".to_owned()
            } else {
                items.join(", ")
            }
        };
        let (columns, cells) = (or_one(&gathered.columns), or_one(&gathered.cells));
        let source = format!(
            "(SELECT {columns} FROM {from} WHERE {condition}{order} LIMIT {rows}) AS {name}"
        );
        match self {
            Self::Sqlite => format!("(SELECT {}({cells}) FROM {source})", gather::NAME),
            Self::Postgres => {
                // In bytes, whichever way they come: where values are text, a record does not tell the types of its own.
                format!("pg_catalog.array_send(ARRAY(SELECT ROW({cells}) FROM {source}))")
            }
            Self::MySql(_) if self.gathers_at_once() => format!(
                "(SELECT JSON_ARRAYAGG(JSON_ARRAY({cells}){order} LIMIT {rows}) FROM {from} WHERE {condition})"
            ),
            Self::MySql(_) => {
                format!("(SELECT JSON_ARRAYAGG(JSON_ARRAY({cells})) FROM {source})")
            }
        }
    }

    /// Whether order and bound stand in the aggregate: where no table within it may name columns around it.
    pub(crate) fn gathers_at_once(self) -> bool {
        self == Self::MySql(super::MySqlFlavor::MariaDb)
    }

    /// What is gathered for `expression`, a column of this type, answered in this form.
    pub(crate) fn gathered_cell(
        self,
        shown: Shown,
        type_name: Option<&str>,
        expression: &str,
    ) -> String {
        match (self, shown, type_name) {
            // A record names domains, which the driver does not know: the type beneath is asked for.
            (Self::Postgres, Shown::AsIs, Some(type_name)) => format!("{expression}::{type_name}"),
            (Self::MySql(_), ..) => mysql::gathered_cell(shown, type_name, expression),
            _ => self.shown(shown, expression),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::MySqlFlavor;

    #[test]
    fn each_engine_gathers_in_its_own_form() {
        let check = |dialect: SqlDialect, columns: &[&str], expected: &str| {
            let gathered = Gathered {
                name: "l1".to_owned(),
                columns: columns.iter().map(|column| (*column).to_owned()).collect(),
                from: "p AS t1".to_owned(),
                condition: "t1.a = t0.b".to_owned(),
                order: " ORDER BY t1.c".to_owned(),
                rows: 3,
                cells: vec!["x".to_owned()],
            };
            assert_eq!(dialect.gather(&gathered), expected);
        };
        let inner =
            "(SELECT t1.c AS c0 FROM p AS t1 WHERE t1.a = t0.b ORDER BY t1.c LIMIT 3) AS l1";
        let columns = ["t1.c AS c0"];
        check(
            SqlDialect::Sqlite,
            &columns,
            &format!("(SELECT paceline_rows(x) FROM {inner})"),
        );
        check(
            SqlDialect::Postgres,
            &columns,
            &format!("pg_catalog.array_send(ARRAY(SELECT ROW(x) FROM {inner}))"),
        );
        check(
            SqlDialect::MySql(MySqlFlavor::MySql),
            &columns,
            &format!("(SELECT JSON_ARRAYAGG(JSON_ARRAY(x)) FROM {inner})"),
        );
        check(
            SqlDialect::MySql(MySqlFlavor::MariaDb),
            &[],
            "(SELECT JSON_ARRAYAGG(JSON_ARRAY(x) ORDER BY t1.c LIMIT 3) FROM p AS t1 WHERE t1.a = t0.b)",
        );
    }
}
