//! The columns of the relations, and what they hold.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;

use super::ask::{Ask, ReadError, rows};
use super::types::{Described, kind};
use crate::catalog::{Column, ColumnKind};

/// Every column the role may select. Domains are followed to the type beneath; whether it can be compared is
/// whether it, or a type its bytes can be taken for, has an order.
const COLUMNS: &str = "\
    WITH RECURSIVE beneath(domain, base) AS ( \
        SELECT t.oid, t.oid FROM pg_catalog.pg_type t WHERE t.typtype <> 'd' \
        UNION ALL \
        SELECT t.oid, b.base FROM pg_catalog.pg_type t JOIN beneath b ON t.typbasetype = b.domain \
            WHERE t.typtype = 'd'), \
    ordered(oid) AS ( \
        SELECT o.opcintype FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_am m ON m.oid = o.opcmethod \
        WHERE m.amname = 'btree' AND o.opcdefault) \
    SELECT pg_catalog.json_build_array(a.attrelid::int8, a.attnum, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), \
        a.attnotnull OR t.typnotnull, a.atthasdef OR t.typdefault IS NOT NULL OR a.attidentity <> '', \
        a.attgenerated <> '' OR a.attidentity = 'a', \
        n.nspname, b.typname, b.typtype::text, b.typcategory::text, b.oid::int8, \
        b.oid IN (SELECT oid FROM ordered) OR b.typtype IN ('e', 'r', 'm') OR EXISTS ( \
            SELECT FROM pg_catalog.pg_cast k WHERE k.castsource = b.oid AND k.castmethod = 'b' \
                AND k.castcontext = 'i' AND k.casttarget IN (SELECT oid FROM ordered)))::text \
    FROM pg_catalog.pg_attribute a \
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid \
    JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace \
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
    JOIN beneath ON beneath.domain = a.atttypid \
    JOIN pg_catalog.pg_type b ON b.oid = beneath.base \
    JOIN pg_catalog.pg_namespace n ON n.oid = b.typnamespace \
    WHERE s.nspname = ANY (pg_catalog.current_schemas(false)) \
        AND s.nspname NOT IN ('pg_catalog', 'information_schema') \
        AND c.relkind IN ('r', 'p', 'f', 'v', 'm') AND NOT c.relispartition \
        AND a.attnum > 0 AND NOT a.attisdropped \
        AND pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT') \
    ORDER BY a.attrelid, a.attnum";
const LABELS: &str = "\
    SELECT pg_catalog.json_build_array(e.enumtypid::int8, e.enumlabel)::text FROM pg_catalog.pg_enum e ORDER BY e.enumtypid, e.enumsortorder";

/// Columns by the relation they belong to.
#[derive(Debug)]
pub(super) struct Columns(HashMap<u32, Read>);

/// The columns of one relation.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) columns: Vec<Column>,
    /// The number each of them has in the relation.
    pub(super) numbers: Vec<i16>,
}

type Labels = HashMap<u32, Arc<[String]>>;

/// A row of [`COLUMNS`].
#[derive(Debug, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are what the catalog says of a column"
)]
struct Listed {
    relation: u32,
    number: i16,
    name: String,
    declared: String,
    not_null: bool,
    has_default: bool,
    generated: bool,
    type_schema: String,
    type_name: String,
    class: String,
    category: String,
    base: u32,
    comparable: bool,
}

impl Columns {
    pub(super) async fn read<A: Ask>(ask: &A) -> Result<Self, ReadError<A::Error>> {
        let labels = labels(ask).await?;
        let mut all: HashMap<u32, Read> = HashMap::new();
        for listed in rows::<Listed, A>(ask, COLUMNS).await? {
            let read = all.entry(listed.relation).or_default();
            read.numbers.push(listed.number);
            read.columns.push(column(listed, &labels));
        }
        Ok(Self(all))
    }

    /// Takes out the columns of a relation.
    pub(super) fn of(&mut self, relation: u32) -> Read {
        self.0.remove(&relation).unwrap_or_default()
    }
}

async fn labels<A: Ask>(ask: &A) -> Result<Labels, ReadError<A::Error>> {
    let mut labels: HashMap<u32, Vec<String>> = HashMap::new();
    for (oid, label) in rows::<(u32, String), A>(ask, LABELS).await? {
        labels.entry(oid).or_default().push(label);
    }
    let shared = labels.into_iter();
    Ok(shared.map(|(oid, labels)| (oid, labels.into())).collect())
}

fn column(listed: Listed, labels: &Labels) -> Column {
    let (kind, native) = kind(&Described {
        schema: &listed.type_schema,
        name: &listed.type_name,
        class: &listed.class,
        category: &listed.category,
        comparable: listed.comparable,
    });
    Column {
        name: listed.name,
        declared: listed.declared,
        kind,
        nullable: !listed.not_null,
        has_default: listed.has_default,
        generated: listed.generated,
        key_position: None,
        rowid_alias: false,
        autoincrement: false,
        labels: labels
            .get(&listed.base)
            .filter(|_| kind == ColumnKind::Enum)
            .cloned(),
        native: Some(native),
    }
}
