//! What interrupts listening: the session's end, silence, poolers, switched-off triggers, changed definitions.

use std::time::{Duration, Instant};

use paceline_data::Database;
use paceline_data::postgres::PostgresOptions;
use paceline_data::postgres::versions::{NotUsed, VersionState, install};
use paceline_test_servers::{PgBouncer, Postgres, Relay, Release};

use super::{QUICKLY, SCHEMA, Told, soon, until};

impl Told {
    pub(super) fn kill_the_listener(&self) -> String {
        self.sql(&format!(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
             WHERE datname = '{}' AND application_name = 'paceline versions'",
            self.name
        ))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_counts_as_a_change_of_everything() {
    let told = Told::open(SCHEMA).await;
    for _ in 0..5 {
        let before = told.stamp("maker").unwrap();
        assert_eq!(told.kill_the_listener(), "1");
        let stays = || told.stamp("maker") != Some(before);
        until("the end of the session", QUICKLY, stays).await;
        until("the next session", QUICKLY, || {
            told.stamp("maker").is_some()
        })
        .await;
        assert_ne!(told.stamp("maker"), Some(before));
        let before = told.stamp("maker").unwrap();
        told.set("maker", 1, 7).await;
        assert_ne!(told.stamp("maker"), Some(before));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_falls_silent_is_relied_on_for_three_seconds_at_most() {
    let server = Postgres::shared();
    let relay = Relay::start(server.port());
    let told = Told::open_on(server, SCHEMA, |options, url| {
        let through = url.replace(
            &format!(":{}/", Postgres::shared().port()),
            &format!(":{}/", relay.port()),
        );
        options.listen(through.parse().unwrap())
    })
    .await;
    let before = told.stamp("maker").unwrap();
    relay.mute(true);
    let silent = Instant::now();
    told.sql("UPDATE maker SET n = 1 WHERE id = 1");
    until("the end of the lease", Duration::from_secs(4), || {
        told.stamp("maker") != Some(before)
    })
    .await;
    assert!(
        silent.elapsed() <= Duration::from_millis(3_100),
        "{:?}",
        silent.elapsed()
    );
    assert_eq!(told.stamp("maker"), None);
    // An own write does not wait for what cannot come, and is answered.
    told.set("maker", 2, 1).await;
    relay.mute(false);
    until("a new session", Duration::from_secs(20), || {
        told.stamp("maker").is_some()
    })
    .await;
    assert_ne!(told.stamp("maker"), Some(before));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_listens_through_a_pooler() {
    let server = Postgres::shared();
    for release in Release::ALL {
        let pooler = PgBouncer::start(release, &server);
        let name = server.database();
        server.sql(&name, SCHEMA);
        // Installing is a transaction, which goes through.
        super::install(&pooler.url(&name), &[]).await;
        let options = || PostgresOptions::new(pooler.url(&name).parse().unwrap());
        let database = Database::connect(options()).await.unwrap();
        let maker = database.catalog().find("maker").unwrap().id;
        assert_eq!(database.stamp(&[maker]), None);
        let state = database.version_state();
        assert!(
            matches!(state, VersionState::NotUsed(NotUsed::Pooler(_))),
            "{state:?}"
        );
        assert!(state.to_string().contains("`listen_url`"), "{state}");
        let listens = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}' AND query LIKE 'LISTEN%'"
        );
        assert_eq!(server.sql("postgres", &listens), "0");
        let direct = options().listen(server.url(&name).parse().unwrap());
        let database = Database::connect(direct).await.unwrap();
        let before = database.stamp(&[maker]).expect("the direct one listens");
        server.sql(&name, "UPDATE maker SET n = 1");
        until("the change", QUICKLY, || {
            database.stamp(&[maker]) != Some(before)
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_listened_to_is_what_is_read() {
    let server = Postgres::shared();
    let told = Told::open(SCHEMA).await;
    let url = server.url(&told.name);
    let state = async |address: &str, listen: &str| {
        let options =
            PostgresOptions::new(address.parse().unwrap()).listen(listen.parse().unwrap());
        Database::connect(options).await.unwrap().version_state()
    };
    let other = state(&url, &server.url(&server.database())).await;
    assert_eq!(other, VersionState::NotUsed(NotUsed::OtherServer));
    let host = format!("127.0.0.1:{}", server.port());
    let two = url.replace(&host, &format!("{host},{host}"));
    assert_eq!(
        state(&two, &url).await,
        VersionState::NotUsed(NotUsed::SeveralHosts)
    );
    assert!(matches!(state(&url, &url).await, VersionState::Told { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn definitions_and_switched_off_triggers_are_found_at_the_next_look() {
    let told = Told::open(SCHEMA).await;
    let look = Duration::from_secs(3);
    for sql in [
        "ALTER TABLE aside ALTER n TYPE bigint USING n + 1",
        "ALTER TABLE aside ADD more int DEFAULT 5",
    ] {
        let before = told.stamp("aside").unwrap();
        told.sql(sql);
        until(sql, look, || {
            told.stamp("aside").is_some_and(|now| now != before)
        })
        .await;
    }
    for (off, on) in [
        (
            "ALTER TABLE aside DISABLE TRIGGER ALL",
            "ALTER TABLE aside ENABLE ALWAYS TRIGGER paceline_versions",
        ),
        (
            "ALTER TABLE aside ENABLE TRIGGER paceline_versions",
            "ALTER TABLE aside ENABLE ALWAYS TRIGGER paceline_versions",
        ),
    ] {
        told.sql(off);
        until(off, look, || told.stamp("aside").is_none()).await;
        until("the others are told of", look, || {
            told.stamp("maker").is_some()
        })
        .await;
        told.sql(on);
        until(on, look, || told.stamp("aside").is_some()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_is_told_to_whoever_listens() {
    let told = Told::open(SCHEMA).await;
    let address = told.server.url(&told.name).parse().unwrap();
    let change = install::removing(&address, soon()).await.unwrap();
    let began = Instant::now();
    install::apply(&address, &change, soon()).await.unwrap();
    until("the removal", Duration::from_millis(500), || {
        told.stamp("maker").is_none()
    })
    .await;
    println!("without stamps after {:?}", began.elapsed());
    told.set("maker", 1, 3).await;
    super::install(&told.server.url(&told.name), &["aside"]).await;
    until("the new triggers", QUICKLY, || {
        told.stamp("aside").is_some()
    })
    .await;
    assert!(told.stamp("maker").is_none());
}
