//! Trap 15: more clients than connections.

use std::time::{Duration, Instant};

use paceline_test_servers::{Postgres, psql};

use super::{PgPool, ask, lease, pool, soon, with_causes};

#[tokio::test(flavor = "multi_thread")]
async fn trap_15_waiters_are_told_in_time_and_leave_no_place_behind() {
    let cluster = Postgres::shared();
    let pool = pool(&cluster.url(&cluster.database()), 1);
    let held = lease(&pool).await;
    let waiters: Vec<_> = (0..20_u64)
        .map(|number| {
            let pool = pool.clone();
            let wait = Duration::from_millis(100 + number);
            tokio::spawn(async move {
                let start = Instant::now();
                let error = pool.acquire(start + wait).await.unwrap_err();
                (error.to_string(), start.elapsed().saturating_sub(wait))
            })
        })
        .collect();
    for waiter in waiters {
        let (error, late) = waiter.await.unwrap();
        assert!(error.contains("pool size 1, in use 1, waiting "), "{error}");
        assert!(late < Duration::from_secs(2), "{late:?}");
    }
    // These go away before they are served.
    for _ in 0..20 {
        let acquiring = tokio::time::timeout(Duration::from_millis(1), pool.acquire(soon()));
        assert!(acquiring.await.is_err());
    }
    drop(held);
    assert_eq!(ask(&pool, "SELECT '1'").await.unwrap(), "1");
    let occupancy = pool.statistics().occupancy;
    assert_eq!(
        (occupancy.in_use, occupancy.waiting, occupancy.idle),
        (0, 0, 1)
    );
}

/// How many clients come at once, each as a function's environment with a pool of one.
const HERD: usize = 200;

/// One client: connects, asks, and goes.
async fn come_and_go(pool: PgPool) -> Result<u64, String> {
    let deadline = Instant::now() + Duration::from_mins(1);
    let lease = pool
        .acquire(deadline)
        .await
        .map_err(|error| with_causes(&error))?;
    let row = lease
        .query_typed_one("SELECT '1' FROM pg_catalog.pg_sleep(0.01)", &[])
        .await;
    row.map_err(|error| with_causes(&error))?;
    drop(lease);
    pool.close(deadline).await;
    Ok(pool.statistics().counts.failed_attempts)
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_15_a_herd_of_200_comes_through_30_connections() {
    let cluster = Postgres::start_with(&[
        ("max_connections", "30"),
        ("superuser_reserved_connections", "3"),
    ]);
    let database = cluster.database();
    cluster.sql("postgres", "CREATE ROLE herd LOGIN PASSWORD 'herd'");
    let url = format!(
        "postgres://herd:herd@127.0.0.1:{}/{database}",
        cluster.port()
    );
    let start = Instant::now();
    let clients: Vec<_> = (0..HERD)
        .map(|_| tokio::spawn(come_and_go(pool(&url, 1))))
        .collect();
    // Meanwhile an administrator gets in. The server judges who may have a reserved place only after it gave the
    // newcomer one, so that a refusal now and then is the server's; the herd must not keep the door blocked.
    let (socket, port) = (
        cluster.socket_folder().display().to_string(),
        cluster.port(),
    );
    let administrator = tokio::task::spawn_blocking(move || {
        let url = format!(
            "postgres:///postgres?host={socket}&port={port}&user={}",
            Postgres::USER
        );
        let (mut let_in, mut turned_away) = (0, 0);
        let deadline = soon();
        while let_in < 5 {
            assert!(Instant::now() < deadline, "{turned_away} times turned away");
            match psql(&url, "SELECT 1") {
                Ok(_) => let_in += 1,
                Err(_) => turned_away += 1,
            }
        }
        turned_away
    });
    let mut refused = 0;
    for client in clients {
        refused += client.await.unwrap().unwrap();
    }
    println!(
        "{HERD} clients served after {:?}, {refused} attempts refused",
        start.elapsed()
    );
    assert!(refused > 0, "nobody was refused, so nothing was shown");
    println!(
        "an administrator was turned away {} times",
        administrator.await.unwrap()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_is_waited_for_within_the_deadline() {
    let cluster = Postgres::start();
    let database = cluster.database();
    let pool = pool(&cluster.url(&database), 4);
    assert_eq!(ask(&pool, "SELECT '1'").await.unwrap(), "1");
    cluster.shut_down();
    // Refused now, and again and again; the caller waits as long as it said.
    let refused = pool
        .acquire(Instant::now() + Duration::from_millis(300))
        .await
        .unwrap_err();
    assert!(
        refused.is_connect() && pool.statistics().counts.failed_attempts > 1,
        "{refused}"
    );
    let waiting = {
        let pool = pool.clone();
        tokio::spawn(async move { ask(&pool, "SELECT '2'").await.unwrap() })
    };
    assert!(cluster.run(), "{}", cluster.log());
    assert_eq!(waiting.await.unwrap(), "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_leaves_no_session_behind() {
    let cluster = Postgres::shared();
    let database = cluster.database();
    let pool = pool(&cluster.url(&database), 3);
    drop((lease(&pool).await, lease(&pool).await, lease(&pool).await));
    let sessions = || {
        let of_ours = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}' AND pid <> pg_backend_pid()"
        );
        cluster.sql("postgres", &of_ours)
    };
    assert_eq!(sessions(), "3");
    let closed = pool
        .close(Instant::now() + Duration::from_millis(300))
        .await;
    assert_eq!((closed.closed, closed.left), (3, 0));
    // The server needs a moment to notice.
    let deadline = soon();
    while sessions() != "0" {
        assert!(Instant::now() < deadline, "{}", sessions());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_given_up_in_the_middle_stops_its_query() {
    let cluster = Postgres::shared();
    let database = cluster.database();
    let pool = pool(&cluster.url(&database), 1);
    let lease = lease(&pool).await;
    let sleeping = lease.query_typed("SELECT pg_catalog.pg_sleep(600)", &[]);
    assert!(
        tokio::time::timeout(Duration::from_millis(100), sleeping)
            .await
            .is_err()
    );
    lease.discard();
    let deadline = soon();
    let running = format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}'");
    while cluster.sql("postgres", &running) != "0" {
        assert!(Instant::now() < deadline, "the query still runs");
    }
    assert_eq!(ask(&pool, "SELECT '1'").await.unwrap(), "1");
}
