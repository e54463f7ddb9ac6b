//! The end of a pool.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Bench, passed, within};

#[tokio::test(start_paused = true)]
async fn closing_refuses_waits_and_is_polite() {
    let bench = Bench::new(2);
    let (first, second) = (bench.lease().await, bench.lease().await);
    let pool = bench.pool.clone();
    let waiter = tokio::spawn(async move { pool.acquire(within(60_000)).await.map(drop) });
    while bench.pool.statistics().occupancy.waiting < 1 {
        tokio::task::yield_now().await;
    }
    drop(first);
    waiter.await.unwrap().unwrap();
    let pool = bench.pool.clone();
    let waiter = {
        let held = bench.lease().await;
        let waiter = tokio::spawn(async move { pool.acquire(within(60_000)).await.map(drop) });
        tokio::task::yield_now().await;
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            drop(held);
        });
        waiter
    };
    let start = within(0);
    let closing = bench.pool.close(within(300));
    let (closed, refused) = tokio::join!(closing, waiter);
    assert!(refused.unwrap().unwrap_err().is_closed());
    // One came back in time, one did not.
    assert_eq!((closed.closed, closed.left, passed(start)), (1, 1, 300));
    assert_eq!(bench.world.closed_politely.load(Ordering::SeqCst), 1);
    drop(second);
    assert_eq!(bench.world.standing.load(Ordering::SeqCst), 0);
    assert!(
        bench
            .pool
            .acquire(within(1_000))
            .await
            .unwrap_err()
            .is_closed()
    );
}

#[tokio::test(start_paused = true)]
async fn an_idle_pool_closes_at_once_and_twice() {
    let bench = Bench::new(3);
    drop([bench.lease().await, bench.lease().await]);
    let start = within(0);
    let closed = bench.pool.close(within(300)).await;
    assert_eq!((closed.closed, closed.left, passed(start)), (2, 0, 0));
    assert_eq!(bench.world.closed_politely.load(Ordering::SeqCst), 2);
    assert_eq!(bench.pool.close(within(300)).await.closed, 0);
}
