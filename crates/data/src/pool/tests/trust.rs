//! When a connection is asked before it is lent, and what happens when it does not answer.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::fake::Ends;
use super::{Bench, passed, within};

/// Three connections, returned, each with a number.
async fn three(bench: &Bench) {
    drop([
        bench.lease().await,
        bench.lease().await,
        bench.lease().await,
    ]);
}

#[tokio::test(start_paused = true)]
async fn a_freeze_is_noticed_and_a_dead_connection_replaced() {
    let bench = Bench::new(1);
    drop(bench.lease().await);
    drop(bench.lease().await);
    assert_eq!(bench.world.checked.load(Ordering::SeqCst), 0);
    // The monotonic clock did not see the freeze, and the socket's end was not seen either.
    bench.clock.freeze(Duration::from_mins(5));
    bench.world.checks(&[Ends::Refused]);
    assert_eq!(bench.lease().await.number, 2);
    let counts = bench.pool.statistics().counts;
    assert_eq!(
        (counts.checked, counts.failed_checks, counts.after_freeze),
        (1, 1, 1)
    );
    assert_eq!(counts.failed_attempts, 0);
}

#[tokio::test(start_paused = true)]
async fn what_the_server_said_meanwhile_is_looked_into_at_once() {
    let bench = Bench::new(1);
    let lease = bench.lease().await;
    let news = lease.news.clone();
    drop(lease);
    news.store(true, Ordering::SeqCst);
    bench.world.checks(&[Ends::Well, Ends::Refused]);
    assert_eq!(bench.lease().await.number, 1);
    assert_eq!(bench.lease().await.number, 2);
    assert_eq!(bench.lease().await.number, 2);
    assert_eq!(bench.world.checked.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn within_an_invocation_nothing_is_asked() {
    let bench = Bench::new(1);
    for (seconds, begins, checked) in [
        (0, true, 0),
        (5, false, 0),
        (5, true, 1),
        (0, true, 1),
        (31, false, 2),
    ] {
        bench.clock.advance(Duration::from_secs(seconds));
        if begins {
            bench.pool.begin_invocation();
        }
        drop(bench.lease().await);
        assert_eq!(
            bench.world.checked.load(Ordering::SeqCst),
            checked,
            "after {seconds} s"
        );
    }
}

/// Trap 2: a peer that swallows everything costs one check, not one for each connection to it.
#[tokio::test(start_paused = true)]
async fn silence_costs_a_quarter_of_a_second_once() {
    let bench = Bench::new(3);
    three(&bench).await;
    bench.clock.advance(Duration::from_mins(1));
    bench.world.checks(&[Ends::Never; 3]);
    let start = within(0);
    assert_eq!(bench.lease().await.number, 4);
    assert_eq!(passed(start), 250);
    assert_eq!(bench.pool.statistics().occupancy.idle, 1);
    let counts = bench.pool.statistics().counts;
    assert_eq!((counts.checked, counts.failed_checks), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_caller_in_a_hurry_does_not_judge_the_others() {
    let bench = Bench::new(3);
    three(&bench).await;
    bench.clock.advance(Duration::from_mins(1));
    bench.world.checks(&[Ends::Never; 3]);
    let start = within(0);
    assert!(bench.pool.acquire(within(10)).await.is_err());
    assert_eq!(passed(start), 10);
    assert_eq!(bench.pool.statistics().occupancy.idle, 2);
}

#[tokio::test(start_paused = true)]
async fn closed_ones_are_passed_over_one_by_one() {
    let bench = Bench::new(3);
    three(&bench).await;
    bench.clock.advance(Duration::from_mins(1));
    bench.world.checks(&[Ends::Refused, Ends::Well]);
    // Returned in order, so the third was used last.
    assert_eq!(bench.lease().await.number, 2);
    assert_eq!(bench.world.standing.load(Ordering::SeqCst), 2);
}

/// Trap 13: age counts the time of a freeze, and is judged at checkout only: what is in use is never closed.
#[tokio::test(start_paused = true)]
async fn old_ones_are_replaced_when_they_would_be_lent() {
    let bench = Bench::with(1, |options| options.max_lifetime(Duration::from_mins(10)));
    let lease = bench.lease().await;
    bench.clock.freeze(Duration::from_hours(10));
    tokio::time::advance(Duration::from_hours(10)).await;
    assert_eq!(bench.world.standing.load(Ordering::SeqCst), 1);
    drop(lease);
    assert_eq!(bench.lease().await.number, 2);
    bench.clock.advance(Duration::from_secs(479));
    assert_eq!(
        bench.lease().await.number,
        2,
        "four fifths of its lifetime are certain"
    );
    bench.clock.advance(Duration::from_secs(121));
    assert_eq!(bench.lease().await.number, 3);
    assert_eq!(bench.pool.statistics().counts.retired, 2);
}

/// Trap 13: a thaw sets off no burst: however long the freeze, one check at the next checkout.
#[tokio::test(start_paused = true)]
async fn a_thaw_sets_off_nothing_by_itself() {
    let bench = Bench::new(2);
    drop([bench.lease().await, bench.lease().await]);
    bench.clock.freeze(Duration::from_hours(1));
    tokio::time::advance(Duration::from_hours(1)).await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(bench.world.checked.load(Ordering::SeqCst), 0);
    assert_eq!(bench.world.attempts.load(Ordering::SeqCst), 2);
    // An hour is beyond the lifetime: one is opened, and nothing checked.
    drop(bench.lease().await);
    assert_eq!(bench.world.attempts.load(Ordering::SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn warming_asks_the_server_and_replaces_what_is_dead() {
    let bench = Bench::new(1);
    bench.pool.warm(within(1_000)).await.unwrap();
    assert_eq!(bench.pool.statistics().occupancy.idle, 1);
    bench.world.checks(&[Ends::Refused]);
    bench.pool.warm(within(1_000)).await.unwrap();
    assert_eq!(bench.world.attempts.load(Ordering::SeqCst), 2);
    // One that fails again and again is given up.
    bench.world.checks(&[Ends::Refused; 9]);
    let start = within(0);
    let error = bench.pool.warm(within(1_000)).await.unwrap_err();
    assert!(error.is_connect() && passed(start) < 1_000, "{error}");
    assert_eq!(bench.world.attempts.load(Ordering::SeqCst), 4);
    bench.world.checks.lock().unwrap().clear();
    bench.world.connects(&[Ends::Never]);
    let start = within(0);
    assert!(bench.pool.warm(within(1_000)).await.is_err());
    assert_eq!(passed(start), 1_000);
}
