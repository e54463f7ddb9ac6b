//! The engine without named statements, and behind poolers that mix sessions (trap 4: types of the user's own).

use std::num::NonZeroUsize;

use paceline_data::Database;
use paceline_data::postgres::PostgresOptions;
use paceline_data::resource::Resources;
use paceline_test_servers::{PgBouncer, Postgres, Release};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::Served;

const SCHEMA: &str = "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy'); CREATE TYPE pair AS (a int, b text);
    CREATE DOMAIN positive AS int CHECK (VALUE > 0);
    CREATE TABLE t(id int PRIMARY KEY, m mood, p pair, d positive, ms mood[], at timestamptz);
    INSERT INTO t SELECT i, (ARRAY['sad', 'ok', 'happy', NULL]::mood[])[i % 4 + 1], (i, 'x')::pair, i,
        ARRAY['sad']::mood[], timestamptz '2026-01-01 00:00:00Z' FROM generate_series(1, 50) AS i;";

async fn served_at(server: std::sync::Arc<Postgres>, name: String, address: &str) -> Served {
    let options =
        PostgresOptions::new(address.parse().unwrap()).connections(NonZeroUsize::new(2).unwrap());
    let database = Database::connect(options).await.unwrap();
    let resources = Resources::discover(database.catalog());
    Served {
        server,
        name,
        database,
        resources,
    }
}

/// Pages of every kind of type, walked by an enum that may be `NULL`; twice, so that what is prepared is used.
async fn check(served: &Served) {
    for _ in 0..2 {
        let row = served.rows("t", "id=1").await;
        let expected = r#"[{"id":1,"m":"ok","p":{"a":1,"b":"x"},"d":1,"ms":["sad"],"at":"2026-01-01T00:00:00Z"}]"#;
        assert_eq!(row, expected);
        let ids = super::walking::walk(served, "t", "id", "-m,id").await;
        assert_eq!(ids.len(), 50);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_the_same_without_names_and_through_every_pooler() {
    let server = Postgres::shared();
    let name = server.database();
    server.sql(&name, SCHEMA);
    let named_by_us = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}' AND query LIKE '%typtype, t.typelem%' AND pid <> pg_backend_pid()"
    );
    let direct = server.url(&name);
    let unnamed = format!("{direct}?statements=unnamed");
    for address in [direct.as_str(), unnamed.as_str()] {
        let direct = served_at(std::sync::Arc::clone(&server), name.clone(), address).await;
        check(&direct).await;
        assert_eq!(direct.sql(&named_by_us), "0", "the driver looks up no type");
    }
    for release in Release::ALL {
        let pooler = PgBouncer::start_with(release, &server, &[("default_pool_size", "2")]);
        let address = pooler.url(&name);
        let others = [
            served_at(std::sync::Arc::clone(&server), name.clone(), &address).await,
            served_at(std::sync::Arc::clone(&server), name.clone(), &address).await,
        ];
        let [first, second] = others.each_ref();
        tokio::join!(check(first), check(second), check(first), check(second));
        let left = server.sql(
            &name,
            &format!("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = '{name}')"),
        );
        assert_eq!(left, "0");
    }
}

/// A corpus of what attackers write into every parameter: it is refused, or compared as a value. The statements
/// hold no part of it.
#[tokio::test]
async fn values_never_become_sql() {
    let served = Served::open(
        "CREATE TABLE t(id int PRIMARY KEY, name text, \"odd \"\"na'me\" text, at timestamptz, n numeric, password_hash text);
         INSERT INTO t VALUES (1, 'a', 'b', now(), 1, 'secret')",
    )
    .await;
    for attack in [
        "1 OR 1=1",
        "1; DROP TABLE t",
        "' OR ''='",
        "'; SELECT pg_sleep(5); --",
        "1)) UNION SELECT password_hash FROM t --",
        "$1 OR 1=1",
        "a::text OR",
        "\\' OR 1=1 --",
        "%' OR '1'='1",
        "2026-01-01'::date; --",
        "\u{2019} OR 1=1",
        "{1,2}",
        "\"name\" OR",
        "1e1",
        "(SELECT 1)",
    ] {
        let encoded = utf8_percent_encode(attack, NON_ALPHANUMERIC).to_string();
        for parameter in [
            "id",
            "id[gt]",
            "id[in]",
            "name",
            "name[ne]",
            "name[like]",
            "odd%20%22na%27me",
            "at",
            "at[lt]",
            "n",
            "fields",
            "sort",
            "page",
            "limit",
            "cursor",
            "include",
            "count",
            "password_hash",
            "filter[name]",
        ] {
            let Ok(plan) = served.plan("t", &format!("{parameter}={encoded}")) else {
                continue;
            };
            assert!(
                !plan.statement.sql.contains(attack),
                "{parameter}: {}",
                plan.statement.sql
            );
            let run = served
                .database
                .run(plan.statement.clone(), plan.encoder())
                .await;
            match run {
                Ok(answer) => assert!(!answer.bytes.windows(6).any(|part| part == b"secret")),
                Err(error) => assert!(error.is_value(), "{parameter}={attack}: {error:?}"),
            }
        }
    }
    assert_eq!(served.sql("SELECT count(*) FROM t"), "1");
}
