//! What the server's catalog says about its relations and our triggers. Nothing is left on the connection.

use std::collections::HashMap;

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error, Row};

use super::names::{BODY, FUNCTION, NAME};
use super::schema::{Kind, Relation, RowSecurity, Schema};

/// Relations of the schemas that are not the server's own. A trigger counts when it runs our function, as it is now,
/// once a statement after each of the four kinds of change (60 is the sum of their bits), unconditionally, and in
/// replicas' sessions too (`A`).
///
/// A view depends on its tables alone when it calls nothing but built-in functions that are immutable, or depend on
/// settings that no session of ours changes.
const RELATIONS: &str = "\
    WITH ours AS ( \
        SELECT p.oid FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace \
        WHERE n.nspname = $1 AND p.proname = $2 AND p.prosrc = $3) \
    SELECT c.oid, n.nspname, c.relname, c.relkind::text, \
        n.nspname = ANY (pg_catalog.current_schemas(false)) AND NOT c.relispartition, \
        EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND t.tgfoid IN (SELECT oid FROM ours) \
            AND t.tgenabled = 'A' AND t.tgtype = 60 AND t.tgqual IS NULL \
            AND t.tgattr::text = ''), \
        c.relrowsecurity, c.relrowsecurity AND pg_catalog.row_security_active(c.oid), \
        EXISTS (SELECT FROM pg_catalog.pg_subscription_rel s WHERE s.srrelid = c.oid), \
        c.relkind <> 'v' OR NOT EXISTS (SELECT FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid AND ( \
            r.ev_action::text ~ '\\{(SQLVALUEFUNCTION|COERCEVIAIO|ARRAYCOERCEEXPR|TABLESAMPLECLAUSE|NEXTVALUEEXPR|XMLEXPR) ' \
            OR EXISTS (SELECT FROM pg_catalog.regexp_matches( \
                    r.ev_action::text, ':(?:funcid|opfuncid|aggfnoid|winfnoid) ([0-9]+)', 'g') AS called(oid) \
                JOIN pg_catalog.pg_proc p ON p.oid = called.oid[1]::oid \
                WHERE p.oid >= 16384 OR (p.provolatile <> 'i' AND p.proname <> ALL ($4::text::name[]))))) \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'";

/// Functions that depend on settings, and not on the clock.
const STEADY: &str = "{concat,concat_ws,format,array_to_string,to_char,to_json,to_jsonb,row_to_json,array_to_json,\
    json_agg,jsonb_agg,json_object_agg,jsonb_object_agg,json_build_object,json_build_array,jsonb_build_object,\
    jsonb_build_array,date,timestamp,timestamptz,timezone,date_trunc,date_part,extract,unaccent}";

const RELATIVES: &str = "SELECT i.inhrelid, i.inhparent FROM pg_catalog.pg_inherits i";

/// What views read, by the text of their rules: the server's own relations are in no table of dependencies.
const READS: &str = "\
    SELECT DISTINCT r.ev_class, read.oid[1]::oid FROM pg_catalog.pg_rewrite r \
    JOIN pg_catalog.pg_class c ON c.oid = r.ev_class AND c.relkind = 'v' \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    CROSS JOIN LATERAL pg_catalog.regexp_matches(r.ev_action::text, ':relid ([0-9]+)', 'g') AS read(oid) \
    WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' \
        AND read.oid[1] <> '0' AND read.oid[1]::oid <> r.ev_class";

/// A number that changes when one of those answers may have changed, and when a table's rows were written anew by a
/// change of its definition. Rows are told apart by the transaction that wrote them.
const FINGERPRINT: &str = "\
    SELECT pg_catalog.concat_ws(' ', \
        (SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat_ws(' ', \
                c.oid, c.xmin, c.relfilenode), 0)) FROM pg_catalog.pg_class c \
            WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND c.relpersistence <> 't' AND c.oid >= 16384), \
        (SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat_ws(' ', \
                t.oid, t.xmin, t.tgenabled), 0)) FROM pg_catalog.pg_trigger t WHERE NOT t.tgisinternal), \
        (SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat_ws(' ', \
                i.inhrelid, i.inhparent), 0)) FROM pg_catalog.pg_inherits i), \
        (SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat_ws(' ', \
                r.oid, r.xmin), 0)) FROM pg_catalog.pg_rewrite r WHERE r.oid >= 16384), \
        (SELECT pg_catalog.count(*) FROM pg_catalog.pg_subscription_rel), \
        (SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat_ws(' ', \
                p.oid, p.xmin), 0)) FROM pg_catalog.pg_proc p WHERE p.proname = $1))";

/// Which server this is, since when it runs, which of its databases, and whether it only follows another.
const IDENTITY: &str = "\
    SELECT pg_catalog.concat_ws(' ', pg_catalog.pg_postmaster_start_time(), d.oid), pg_catalog.pg_is_in_recovery() \
    FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()";

const INSTALLED: &str = "SELECT pg_catalog.to_regnamespace($1) IS NOT NULL";

/// Whether our schema is there.
pub(in crate::postgres) async fn is_installed(client: &Client) -> Result<bool, Error> {
    let row = client
        .query_typed_one(INSTALLED, &[(&NAME, Type::TEXT)])
        .await?;
    row.try_get(0)
}

/// Which server and database, and whether it is a standby.
pub(super) async fn identity(client: &Client) -> Result<(String, bool), Error> {
    let row = client.query_typed_one(IDENTITY, &[]).await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}

pub(super) async fn fingerprint(client: &Client) -> Result<String, Error> {
    let row = client
        .query_typed_one(FINGERPRINT, &[(&FUNCTION, Type::TEXT)])
        .await?;
    row.try_get(0)
}

pub(super) async fn schema(client: &Client) -> Result<Schema, Error> {
    let values: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 4] = [
        (&NAME, Type::TEXT),
        (&FUNCTION, Type::TEXT),
        (&BODY, Type::TEXT),
        (&STEADY, Type::TEXT),
    ];
    let mut schema = Schema::default();
    for row in client.query_typed(RELATIONS, &values).await? {
        schema.relations.insert(row.try_get(0)?, relation(&row)?);
    }
    for row in client.query_typed(RELATIVES, &[]).await? {
        let (child, parent) = (row.try_get(0)?, row.try_get(1)?);
        push(&mut schema.parents, child, parent);
        push(&mut schema.children, parent, child);
    }
    for row in client.query_typed(READS, &[]).await? {
        push(&mut schema.reads, row.try_get(0)?, row.try_get(1)?);
    }
    Ok(schema)
}

fn push(lists: &mut HashMap<u32, Vec<u32>>, of: u32, one: u32) {
    lists.entry(of).or_default().push(one);
}

fn relation(row: &Row) -> Result<Relation, Error> {
    let kind: String = row.try_get(3)?;
    let (secured, secured_for_us): (bool, bool) = (row.try_get(6)?, row.try_get(7)?);
    Ok(Relation {
        schema: row.try_get(1)?,
        name: row.try_get(2)?,
        kind: match &*kind {
            "r" | "p" => Kind::Table,
            "v" => Kind::View,
            _ => Kind::Other,
        },
        served: row.try_get(4)?,
        told: row.try_get(5)?,
        row_security: match (secured, secured_for_us) {
            (false, _) => RowSecurity::None,
            (true, false) => RowSecurity::Others,
            (true, true) => RowSecurity::Ours,
        },
        replicated: row.try_get(8)?,
        pure: row.try_get(9)?,
    })
}
