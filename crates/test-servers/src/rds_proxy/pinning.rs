//! Statements after which Amazon RDS Proxy gives a client one server connection for good, as its documentation lists
//! them for `PostgreSQL`.

/// First words of such statements. `SET LOCAL` counts: the proxy does not tell it apart.
const FIRST: [&str; 12] = [
    "SET",
    "RESET",
    "PREPARE",
    "EXECUTE",
    "DEALLOCATE",
    "DISCARD",
    "DECLARE",
    "FETCH",
    "LISTEN",
    "UNLISTEN",
    "LOAD",
    "CLOSE",
];

/// What makes such a statement of any. Advisory locks of transactions are none.
const PARTS: [&str; 9] = [
    "SET_CONFIG(",
    "NEXTVAL(",
    "SETVAL(",
    "PG_ADVISORY_LOCK",
    "PG_TRY_ADVISORY_LOCK",
    "PG_ADVISORY_UNLOCK",
    "CREATE TEMP",
    "CREATE LOCAL TEMP",
    "INTO TEMP",
];

/// Whether a statement is on the list.
pub(super) fn pins(statement: &str) -> bool {
    let statement = statement.to_ascii_uppercase();
    statement.split(';').any(|one| {
        let first = one.split_whitespace().next().unwrap_or_default();
        FIRST.contains(&first)
    }) || PARTS.iter().any(|part| statement.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_that_of_the_documentation() {
        for statement in [
            "SET statement_timeout = 1",
            "begin; set local x = 1",
            "SELECT set_config('a', 'b', true)",
            "RESET ALL",
            "DISCARD ALL",
            "PREPARE p AS SELECT 1",
            "DECLARE c CURSOR FOR SELECT 1",
            "LISTEN news",
            "SELECT nextval('s')",
            "SELECT pg_advisory_lock(1)",
            "CREATE TEMP TABLE t(i int)",
        ] {
            assert!(pins(statement), "{statement}");
        }
        for statement in [
            "SELECT 1",
            "BEGIN",
            "COMMIT",
            "SELECT pg_advisory_xact_lock(1)",
            "UPDATE t SET a = 1",
            "SELECT current_setting('a')",
        ] {
            assert!(!pins(statement), "{statement}");
        }
    }
}
