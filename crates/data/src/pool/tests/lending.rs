//! Who gets which connection.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Bench, within};

#[tokio::test(start_paused = true)]
async fn nothing_is_opened_before_it_is_needed() {
    let bench = Bench::new(3);
    assert_eq!(bench.world.attempts.load(Ordering::SeqCst), 0);
    drop(bench.lease().await);
    drop(bench.lease().await);
    assert_eq!(bench.world.attempts.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn the_one_used_last_is_lent_first() {
    let bench = Bench::new(3);
    let (first, second, third) = (
        bench.lease().await,
        bench.lease().await,
        bench.lease().await,
    );
    assert_eq!((first.number, second.number, third.number), (1, 2, 3));
    drop(second);
    drop(third);
    drop(first);
    let numbers = [
        bench.lease().await,
        bench.lease().await,
        bench.lease().await,
    ]
    .map(|lease| lease.number);
    assert_eq!(numbers, [1, 3, 2]);
}

#[tokio::test(start_paused = true)]
async fn who_waits_longest_is_served_first() {
    let bench = Bench::new(1);
    let held = bench.lease().await;
    let order = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let waiters: Vec<_> = (0..5)
        .map(|number| {
            let (pool, order) = (bench.pool.clone(), order.clone());
            tokio::spawn(async move {
                let _lease = pool.acquire(within(5_000)).await.unwrap();
                order.lock().unwrap().push(number);
            })
        })
        .collect();
    while bench.pool.statistics().occupancy.waiting < 5 {
        tokio::task::yield_now().await;
    }
    drop(held);
    for waiter in waiters {
        waiter.await.unwrap();
    }
    assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3, 4]);
    assert_eq!(bench.world.most.load(Ordering::SeqCst), 1);
    let counts = bench.pool.statistics().counts;
    assert_eq!((counts.lent, counts.waited, counts.opened), (6, 5, 1));
}

#[tokio::test(start_paused = true)]
async fn a_discarded_or_broken_connection_is_not_lent_again() {
    let bench = Bench::new(1);
    bench.lease().await.discard();
    assert_eq!(bench.world.standing.load(Ordering::SeqCst), 0);
    let lease = bench.lease().await;
    assert_eq!(lease.number, 2);
    lease.broken.store(true, Ordering::SeqCst);
    drop(lease);
    assert_eq!(bench.lease().await.number, 3);
    let counts = bench.pool.statistics().counts;
    assert_eq!((counts.discarded, counts.found_closed), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn what_a_peak_left_behind_goes_when_nobody_needs_it() {
    let bench = Bench::with(4, |options| options.max_idle(Duration::from_mins(1)));
    let leases = [
        bench.lease().await,
        bench.lease().await,
        bench.lease().await,
    ];
    drop(leases);
    for _ in 0..2 {
        bench.clock.advance(Duration::from_secs(50));
        drop(bench.lease().await);
    }
    // One goes with each return.
    assert_eq!(bench.pool.statistics().occupancy.idle, 2);
    drop(bench.lease().await);
    assert_eq!(bench.world.standing.load(Ordering::SeqCst), 1);
    assert_eq!(bench.pool.statistics().counts.retired, 2);
}
