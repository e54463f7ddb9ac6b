//! Traps 3 to 6: what a pooler in transaction mode mixes up, and what it refuses.

use std::time::Duration;

use paceline_data::postgres::connect::{Endpoint, StatementMode};
use paceline_test_servers::{PgBouncer, Postgres, Release};

use super::process::{Client, Role};
use super::{ask, lease, pool, soon};

const ONE: [(&str, &str); 1] = [("default_pool_size", "1")];

#[tokio::test(flavor = "multi_thread")]
async fn a_server_and_a_pooler_are_told_apart() {
    let cluster = Postgres::shared();
    let database = cluster.database();
    let direct = pool(&cluster.url(&database), 1);
    let connection = lease(&direct).await;
    assert_eq!(connection.endpoint(), Endpoint::Direct);
    assert_eq!(connection.statements(), StatementMode::Named);
    for release in Release::ALL {
        let pooler = PgBouncer::start(release, &cluster);
        let through = pool(&pooler.url(&database), 1);
        let connection = lease(&through).await;
        assert_eq!(connection.endpoint(), Endpoint::Pooler, "{release:?}");
        assert_eq!(connection.statements(), StatementMode::Unnamed);
        drop(connection);
        // A check works through it too.
        through.warm(soon()).await.unwrap();
    }
    let pooler = PgBouncer::start(Release::V1_24, &cluster);
    let named = pool(
        &format!("{}?pooler=pgbouncer-1.24", pooler.url(&database)),
        1,
    );
    assert_eq!(lease(&named).await.statements(), StatementMode::Named);
    // Where nothing is known of the pooler, asking for named statements is a mistake that is said.
    let unsafe_here = pool(&format!("{}?statements=named", pooler.url(&database)), 1);
    let error = unsafe_here.acquire(soon()).await.unwrap_err();
    let text = super::with_causes(&error);
    assert!(
        text.contains("named statements are not safe behind a pooler"),
        "{text}"
    );
}

#[test]
fn trap_03_two_processes_with_equal_statement_names_get_their_own_rows() {
    let cluster = Postgres::shared();
    for release in Release::ALL {
        let pooler = PgBouncer::start_with(release, &cluster, &ONE);
        let url = pooler.url(&cluster.database());
        let mut clients = [(); 3].map(|()| Client::start(Role::Checks, &url));
        for client in &mut clients {
            assert_eq!(client.hears("statements"), "unnamed");
            assert_eq!(client.hears("wrong"), "0", "{release:?}");
            assert_eq!(client.hears("failed"), "0", "{release:?}");
        }
    }
}

/// That the trap is there at all: the same with named statements.
#[test]
fn trap_03_named_statements_do_collide_behind_the_old_pooler() {
    let cluster = Postgres::shared();
    for (release, second) in [(Release::V1_18, "42P05"), (Release::V1_24, "prepared")] {
        let pooler = PgBouncer::start_with(release, &cluster, &ONE);
        let url = pooler.url(&cluster.database());
        let mut first = Client::start(Role::Prepares, &url);
        assert_eq!(first.hears("state"), "prepared");
        assert_eq!(
            Client::start(Role::Prepares, &url).hears("state"),
            second,
            "{release:?}"
        );
        first.go_on();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_04_types_of_ones_own_are_read_without_named_statements() {
    let cluster = Postgres::shared();
    let database = cluster.database();
    cluster.sql(
        &database,
        "CREATE TYPE mood AS ENUM ('sad', 'happy');
         CREATE DOMAIN score AS int CHECK (VALUE > 0);
         CREATE TYPE place AS (x int, y int);
         CREATE TABLE typed (mood mood, score score, place place, moods mood[]);
         INSERT INTO typed VALUES ('happy', 7, ROW(1, 2), '{happy,sad}')",
    );
    for release in Release::ALL {
        let pooler = PgBouncer::start_with(release, &cluster, &ONE);
        let url = pooler.url(&database);
        let mut clients = [(); 2].map(|()| Client::start(Role::ReadsTypes, &url));
        for client in &mut clients {
            assert_eq!(client.hears("types"), "read", "{release:?}");
        }
        // There is one server connection, which all of them used: nothing was left on it.
        let left = "SELECT count(*)::text FROM pg_catalog.pg_prepared_statements";
        assert_eq!(ask(&pool(&url, 1), left).await.unwrap(), "0", "{release:?}");
    }
}

/// What leaks behind a pooler, or makes RDS Proxy give up pooling.
const LEAKS: [&str; 12] = [
    "set ",
    "reset",
    "listen",
    "notify",
    "discard",
    "deallocate",
    "prepare",
    "advisory",
    "nextval",
    "setval",
    "set_config",
    "temp",
];

#[tokio::test(flavor = "multi_thread")]
async fn trap_05_nothing_is_sent_that_outlives_a_transaction() {
    let cluster = Postgres::start_with(&[("log_statement", "all")]);
    let database = cluster.database();
    for release in Release::ALL {
        let pooler = PgBouncer::start(release, &cluster);
        let pool = pool(&pooler.url(&database), 2);
        for _ in 0..3 {
            pool.warm(soon()).await.unwrap();
            assert_eq!(ask(&pool, "SELECT 'ours'").await.unwrap(), "ours");
        }
        lease(&pool).await.discard();
        assert_eq!(ask(&pool, "SELECT 'ours'").await.unwrap(), "ours");
        assert_eq!(pool.close(soon()).await.left, 0);
    }
    let log = cluster.log();
    // What the client's name is on; the cluster's own and the pooler's statements are theirs.
    let statements: Vec<&str> = log
        .lines()
        .filter(|line| line.contains(" paceline LOG:  "))
        .filter_map(|line| {
            let (_, text) = line.split_once("LOG:  ")?;
            text.strip_prefix("statement: ")
                .or_else(|| Some(text.split_once("execute ")?.1))
        })
        .collect();
    assert!(
        statements
            .iter()
            .any(|statement| statement.contains("'ours'")),
        "{log}"
    );
    for statement in &statements {
        let statement = statement.to_lowercase();
        let leak = LEAKS.iter().find(|leak| statement.contains(**leak));
        assert_eq!(leak, None, "{statement}");
        assert!(
            statement.starts_with("<unnamed>: "),
            "a named statement: {statement}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_06_a_pooler_that_ignores_no_parameters_takes_our_connections() {
    let cluster = Postgres::shared();
    let database = cluster.database();
    for release in Release::ALL {
        let pooler = PgBouncer::start(release, &cluster);
        let pool = pool(
            &format!("{}?application_name=trap%20six", pooler.url(&database)),
            1,
        );
        let name = "SELECT pg_catalog.current_setting('application_name')";
        assert_eq!(ask(&pool, name).await.unwrap(), "trap six", "{release:?}");
        // What is refused is refused by us, with what to do instead.
        let url = format!("{}?options=-c%20search_path%3Dx", pooler.url(&database));
        let error = url
            .parse::<paceline_data::postgres::connect::Address>()
            .unwrap_err();
        assert!(error.to_string().contains("ALTER ROLE"), "{error}");
    }
}

/// `PgBouncer` 1.18 dies when the client of a request to cancel does not wait for its end.
#[tokio::test(flavor = "multi_thread")]
async fn cancelling_stops_the_query_and_not_the_pooler() {
    let cluster = Postgres::shared();
    let database = cluster.database();
    for release in Release::ALL {
        let pooler = PgBouncer::start_with(release, &cluster, &ONE);
        let pool = pool(&pooler.url(&database), 2);
        // Somebody else on the same pooler, who would notice its end.
        let bystander = super::pool(&pooler.url(&database), 1);
        let standing = lease(&bystander).await;
        for _ in 0..10 {
            let lease = lease(&pool).await;
            let sleeping = lease.query_typed("SELECT pg_catalog.pg_sleep(600)", &[]);
            let begun = Duration::from_millis(20);
            assert!(tokio::time::timeout(begun, sleeping).await.is_err());
            lease.discard();
            assert_eq!(
                ask(&pool, "SELECT '1'").await.unwrap(),
                "1",
                "{release:?}: {}",
                pooler.log()
            );
        }
        assert!(!standing.is_closed(), "{release:?}: {}", pooler.log());
        let running = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}' AND state = 'active'"
        );
        assert_eq!(cluster.sql("postgres", &running), "0", "{release:?}");
    }
}
