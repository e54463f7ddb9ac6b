//! The doctor on each real server.

use paceline_data::postgres::connect::{Address, Endpoint, StatementMode, Version};
use paceline_data::postgres::doctor::{Facts, Grade, Named, Sharing, advise, examine, judge};
use paceline_test_servers::{Authority, PgBouncer, Postgres, Release};

use super::{soon, with_causes};

async fn facts(url: &str) -> Facts {
    let address: Address = url.parse().unwrap();
    examine(&address, soon())
        .await
        .unwrap_or_else(|error| panic!("{}", with_causes(&error)))
}

fn is_wrong(facts: &Facts) -> bool {
    judge(facts).iter().any(|found| found.grade == Grade::Wrong)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_itself() {
    let cluster = Postgres::shared();
    let database = cluster.database();
    let url = cluster.url(&database);
    let found = facts(&url).await;
    assert_eq!(
        (found.endpoint, &found.named, found.sharing),
        (Endpoint::Direct, &Named::Work, Sharing::Own)
    );
    assert!(found.cancels && found.takes_options && found.is_superuser && !found.is_standby);
    assert!(
        found
            .server_version
            .starts_with(|c: char| c.is_ascii_digit()),
        "{found:?}"
    );
    assert_eq!(
        (found.max_connections, found.statement_timeout),
        (Some(97), None)
    );
    let advice = advise(&found);
    assert_eq!(
        (advice.endpoint, advice.statements),
        (Endpoint::Direct, StatementMode::Named)
    );
    assert!(!is_wrong(&found));
    // Nothing is left behind.
    let left = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}' AND state <> 'idle'"
    );
    assert_eq!(cluster.sql("postgres", &left), "0");
    assert!(is_wrong(&facts(&format!("{url}?pooler=pgbouncer")).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_pooler_with_one_and_with_many_server_connections() {
    let cluster = Postgres::shared();
    for size in ["1", "20"] {
        for release in Release::ALL {
            let database = cluster.database();
            let pooler = PgBouncer::start_with(release, &cluster, &[("default_pool_size", size)]);
            let found = examine(&pooler.url(&database).parse().unwrap(), soon())
                .await
                .unwrap_or_else(|e| panic!("{size} {release:?} {e:?} {}", pooler.log()));
            let (version, works) = match release {
                Release::V1_18 => (Version(1, 18), false),
                Release::V1_24 => (Version(1, 24), true),
            };
            assert_eq!(
                found.endpoint,
                Endpoint::PgBouncer(Some(version)),
                "{size} {found:?}"
            );
            assert_eq!(found.named == Named::Work, works, "{size} {found:?}");
            assert_eq!(found.sharing, Sharing::Transactions, "{size} {found:?}");
            assert!(found.cancels && !found.takes_options, "{size} {found:?}");
            let advice = advise(&found);
            assert_eq!(
                advice.statements == StatementMode::Named,
                works,
                "{size} {advice:?}"
            );
            assert!(!advice.ask_for_statements && !is_wrong(&found));
            // What the address claims is believed by the pool, so the doctor does not believe it.
            let claimed = facts(&format!("{}?pooler=pgbouncer-1.24", pooler.url(&database))).await;
            assert_eq!(is_wrong(&claimed), !works, "{size} {claimed:?}");
            // The sessions that all clients share are as they were.
            let left = "SELECT count(*)::text FROM pg_catalog.pg_prepared_statements WHERE name LIKE 'paceline%'";
            assert_eq!(
                super::ask(&super::pool(&pooler.url(&database), 1), left)
                    .await
                    .unwrap(),
                "0"
            );
        }
    }
}

/// A pooler that follows statements when it is told to, and was not told.
#[tokio::test(flavor = "multi_thread")]
async fn the_version_alone_does_not_decide() {
    let cluster = Postgres::shared();
    let settings = [("max_prepared_statements", "0"), ("default_pool_size", "1")];
    let pooler = PgBouncer::start_with(Release::V1_24, &cluster, &settings);
    let found = facts(&pooler.url(&cluster.database())).await;
    assert_eq!(found.endpoint, Endpoint::PgBouncer(Some(Version(1, 24))));
    assert!(matches!(found.named, Named::Fail(_)), "{found:?}");
    let advice = advise(&found);
    assert_eq!(
        (advice.statements, advice.ask_for_statements),
        (StatementMode::Unnamed, true)
    );
}

/// A role that may not ask the console: what works is what counts.
#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_that_does_not_tell_its_version() {
    let cluster = Postgres::shared();
    for (release, endpoint, mode) in [
        (
            Release::V1_18,
            Endpoint::PgBouncer(None),
            StatementMode::Unnamed,
        ),
        (
            Release::V1_24,
            Endpoint::PgBouncer(Some(Version(1, 21))),
            StatementMode::Named,
        ),
    ] {
        let pooler = PgBouncer::start_with(release, &cluster, &[("admin_users", "nobody")]);
        let found = facts(&pooler.url(&cluster.database())).await;
        assert_eq!(found.endpoint, Endpoint::PgBouncer(None), "{found:?}");
        let advice = advise(&found);
        assert_eq!((advice.endpoint, advice.statements), (endpoint, mode));
        assert_eq!(advice.ask_for_statements, mode == StatementMode::Named);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_server_and_one_that_is_not_there() {
    let authority = Authority::new();
    let cluster = Postgres::start_with_tls(&authority);
    let url = cluster
        .url("postgres")
        .replacen("127.0.0.1", "localhost", 1);
    let found = facts(&format!("{url}?ca_file={}", authority.ca().display())).await;
    assert_eq!(
        (found.endpoint, &found.named),
        (Endpoint::Direct, &Named::Work)
    );
    drop(cluster);
    let address: Address = url.parse().unwrap();
    let error = examine(&address, soon()).await.unwrap_err();
    assert!(
        with_causes(&error).contains("cannot be reached"),
        "{}",
        with_causes(&error)
    );
}
