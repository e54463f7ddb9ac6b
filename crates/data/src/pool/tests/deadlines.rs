//! Every wait ends when it should, and who stops waiting leaves nothing behind.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::fake::Ends;
use super::{Bench, passed, within};

/// Trap 15: the deadline of a waiter stays where it is, however often others are served before it.
#[tokio::test(start_paused = true)]
async fn a_deadline_is_absolute_and_the_error_says_who_holds_what() {
    let bench = Bench::new(1);
    let held = bench.lease().await;
    let start = within(0);
    // Others come and go in the queue, so that the waiter's future is polled again and again.
    let pool = bench.pool.clone();
    let others = tokio::spawn(async move {
        for _ in 0..50 {
            assert!(pool.acquire(within(7)).await.is_err());
        }
    });
    tokio::time::advance(Duration::from_millis(100)).await;
    let error = bench.pool.acquire(within(1_000)).await.unwrap_err();
    assert_eq!(passed(start), 1_100);
    assert_eq!(
        error.to_string(),
        "no database connection became free within 1.0 s: pool size 1, in use 1, waiting 1, longest held 1.1 s"
    );
    assert!(error.is_exhausted() && !error.is_shed());
    others.await.unwrap();
    drop(held);
    assert_eq!(bench.lease().await.number, 1);
    assert_eq!(bench.pool.statistics().counts.timed_out, 51);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_is_over_is_refused_even_when_a_connection_lies_ready() {
    let bench = Bench::new(1);
    drop(bench.lease().await);
    let error = bench.pool.acquire(within(0)).await.unwrap_err();
    assert!(error.to_string().contains("deadline was over"), "{error}");
    assert_eq!(bench.pool.statistics().occupancy.idle, 1);
}

/// Trap 15: no place is lost to a caller who went away, wherever it stood.
#[tokio::test(start_paused = true)]
async fn a_caller_who_goes_away_leaves_its_place_free() {
    let bench = Bench::new(2);
    let held = [bench.lease().await, bench.lease().await];
    let queued: Vec<_> = (0..10)
        .map(|_| {
            let pool = bench.pool.clone();
            tokio::spawn(async move { pool.acquire(within(60_000)).await.map(drop) })
        })
        .collect();
    while bench.pool.statistics().occupancy.waiting < 10 {
        tokio::task::yield_now().await;
    }
    // Some go while they wait, some at the very moment when a place is handed to them.
    for waiter in &queued[..5] {
        waiter.abort();
    }
    drop(held);
    for waiter in &queued[5..] {
        waiter.abort();
    }
    for waiter in queued {
        let _ = waiter.await;
    }
    // Likewise while connecting, and while checking.
    bench.clock.advance(Duration::from_secs(5));
    bench.world.checks(&[Ends::Never]);
    let checking =
        tokio::time::timeout(Duration::from_millis(1), bench.pool.acquire(within(60_000)));
    assert!(checking.await.is_err());
    bench.lease().await.discard();
    bench.world.connects(&[Ends::Never]);
    let connecting =
        tokio::time::timeout(Duration::from_millis(1), bench.pool.acquire(within(60_000)));
    assert!(connecting.await.is_err());
    let occupancy = bench.pool.statistics().occupancy;
    assert_eq!((occupancy.in_use, occupancy.waiting), (0, 0));
    let both = [bench.lease().await, bench.lease().await];
    assert!(bench.pool.acquire(within(1)).await.is_err());
    drop(both);
    assert_eq!(bench.world.most.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn connecting_is_tried_again_only_after_what_may_pass() {
    let bench = Bench::new(1);
    bench.world.connects(&[Ends::Busy, Ends::Busy, Ends::Never]);
    let start = within(0);
    assert_eq!(bench.pool.acquire(within(10_000)).await.unwrap().number, 4);
    // The attempt that never ended took its 3 s; the waits in between are drawn from at most 175 ms.
    assert!((3_000..3_200).contains(&passed(start)), "{}", passed(start));
    assert_eq!(bench.pool.statistics().counts.failed_attempts, 3);

    let bench = Bench::new(1);
    bench.world.connects(&[Ends::Refused]);
    let start = within(0);
    let error = bench.pool.acquire(within(10_000)).await.unwrap_err();
    assert_eq!(passed(start), 0);
    assert!(error.is_connect() && !error.is_exhausted());
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(
        (error.to_string().contains("1 attempt"), &*source),
        (true, "Refused")
    );
    assert_eq!(bench.pool.statistics().occupancy.in_use, 0);
}

#[tokio::test(start_paused = true)]
async fn connecting_ends_with_the_deadline() {
    for ends in [Ends::Busy, Ends::Never] {
        let bench = Bench::new(1);
        bench.world.connects(&[ends; 1000]);
        let start = within(0);
        let error = bench.pool.acquire(within(5_000)).await.unwrap_err();
        assert!(error.is_connect(), "{error}");
        // The last wait may have left too little for another attempt.
        assert!(
            (4_975..=5_000).contains(&passed(start)),
            "{ends:?}: {}",
            passed(start)
        );
        assert!(bench.world.attempts.load(Ordering::SeqCst) >= 2);
    }
}

#[tokio::test(start_paused = true)]
async fn who_would_wait_in_vain_is_refused_at_once() {
    let bench = Bench::with(1, |options| options.max_waiting(3));
    for _ in 0..8 {
        let lease = bench.lease().await;
        tokio::time::advance(Duration::from_millis(400)).await;
        drop(lease);
    }
    let held = bench.lease().await;
    let start = within(0);
    let error = bench.pool.acquire(within(399)).await.unwrap_err();
    assert_eq!(passed(start), 0);
    assert!(error.is_shed() && error.is_exhausted(), "{error}");
    assert_eq!(error.retry_after(), Duration::from_secs(1));
    // With more time to spare there is hope, up to the bound of the queue.
    let waiters: Vec<_> = (0..3)
        .map(|_| {
            let pool = bench.pool.clone();
            tokio::spawn(async move { pool.acquire(within(60_000)).await.map(drop) })
        })
        .collect();
    while bench.pool.statistics().occupancy.waiting < 3 {
        tokio::task::yield_now().await;
    }
    let error = bench.pool.acquire(within(60_000)).await.unwrap_err();
    assert!(
        error.to_string().starts_with("too many callers wait"),
        "{error}"
    );
    drop(held);
    for waiter in waiters {
        waiter.await.unwrap().unwrap();
    }
    assert_eq!(bench.pool.statistics().counts.shed, 2);
    // A free connection is lent whatever the mean says.
    assert!(bench.pool.acquire(within(1)).await.is_ok());
}
