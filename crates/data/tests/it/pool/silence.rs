//! Trap 2: the peer is gone and nobody says so.

use std::time::{Duration, Instant};

use paceline_data::pool::{Place, PoolOptions};
use paceline_test_servers::{Namespace, Postgres, Relay};

use super::{PgPool, ask, lease, pool, pool_with, with_causes};

/// A pool whose connections are checked whenever they are lent.
fn distrustful(url: &str) -> PgPool {
    pool_with(
        url,
        PoolOptions::of(Place::Server).check_after_idle(Duration::ZERO),
    )
}

async fn gives_up_within(pool: &PgPool, limit: Duration) {
    let start = Instant::now();
    let error = pool.acquire(start + limit).await.unwrap_err();
    let took = start.elapsed();
    println!("gave up after {took:?}: {}", with_causes(&error));
    assert!(error.is_connect(), "{error}");
    assert!(took < limit + Duration::from_secs(1), "{took:?}");
    assert_eq!(pool.statistics().occupancy.in_use, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_02_a_machine_that_vanished_is_given_up_and_found_again() {
    let Some(namespace) = Namespace::new() else {
        println!(
            "skipped: this process may not make network namespaces; the relay below stands in"
        );
        return;
    };
    let cluster = Postgres::start_in(namespace);
    let namespace = cluster.namespace().unwrap();
    let pool = distrustful(&format!(
        "{}?sslmode=disable",
        cluster.url(&cluster.database())
    ));
    assert_eq!(ask(&pool, "SELECT '1'").await.unwrap(), "1");
    namespace.vanish();
    gives_up_within(&pool, Duration::from_secs(1)).await;
    namespace.come_back();
    assert_eq!(ask(&pool, "SELECT '2'").await.unwrap(), "2");
    let counts = pool.statistics().counts;
    assert_eq!(counts.failed_checks, 1, "{counts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_02_a_query_into_silence_ends_by_itself() {
    let Some(namespace) = Namespace::new() else {
        println!("skipped: this process may not make network namespaces");
        return;
    };
    let cluster = Postgres::start_in(namespace);
    let pool = pool(
        &format!("{}?sslmode=disable", cluster.url(&cluster.database())),
        1,
    );
    let lease = lease(&pool).await;
    cluster.namespace().unwrap().vanish();
    let start = Instant::now();
    assert!(lease.query_typed_one("SELECT '1'", &[]).await.is_err());
    let took = start.elapsed();
    println!("a query into silence failed after {took:?}");
    // Five seconds without an acknowledgement; the system's own patience is 15 minutes.
    assert!(took < Duration::from_secs(20), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_02_a_peer_that_is_mute_is_given_up_and_found_again() {
    let cluster = Postgres::shared();
    let relay = Relay::start(cluster.port());
    let url = cluster.url(&cluster.database());
    let url = url.replace(
        &format!(":{}/", cluster.port()),
        &format!(":{}/", relay.port()),
    );
    let pool = distrustful(&url);
    drop((lease(&pool).await, lease(&pool).await, lease(&pool).await));
    relay.mute(true);
    gives_up_within(&pool, Duration::from_secs(1)).await;
    // One check was enough to distrust all three.
    let counts = pool.statistics().counts;
    assert_eq!(
        (counts.checked, pool.statistics().occupancy.idle),
        (1, 0),
        "{counts:?}"
    );
    relay.mute(false);
    assert_eq!(ask(&pool, "SELECT '2'").await.unwrap(), "2");
}
