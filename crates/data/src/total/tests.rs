//! Each test counts how often the database would have been asked.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::oneshot;

use super::*;

fn statement(number: i64) -> Statement {
    Statement {
        sql: "SELECT count(*) FROM t WHERE n > ?1".into(),
        values: vec![Value::Integer(number)],
    }
}

fn totals(capacity: usize) -> Totals {
    Totals::new(NonZeroUsize::new(capacity).unwrap())
}

struct Counting {
    totals: Totals,
    counted: AtomicU64,
}

impl Counting {
    fn new(capacity: usize) -> Self {
        Self {
            totals: totals(capacity),
            counted: AtomicU64::new(0),
        }
    }

    async fn get(&self, number: i64, freshness: Freshness, now: Instant) -> u64 {
        let count = || async { Ok(self.counted.fetch_add(1, Ordering::Relaxed) + 1) };
        self.totals
            .get(&statement(number), freshness, now, count)
            .await
            .unwrap()
    }
}

fn stamps() -> (Stamp, Stamp) {
    (Stamp::for_test(1), Stamp::for_test(2))
}

#[tokio::test]
async fn a_count_lasts_as_long_as_its_stamp() {
    let counting = Counting::new(8);
    let now = Instant::now();
    let later = now + Duration::from_hours(1);
    let (first, second) = stamps();
    assert_eq!(counting.get(1, Freshness::While(first), now).await, 1);
    assert_eq!(counting.get(1, Freshness::While(first), later).await, 1);
    assert_eq!(
        counting.get(2, Freshness::While(first), later).await,
        2,
        "another statement"
    );
    assert_eq!(
        counting.get(1, Freshness::While(second), later).await,
        3,
        "the table changed"
    );
    assert_eq!(counting.get(1, Freshness::Never, later).await, 4);
}

#[tokio::test]
async fn without_versions_a_count_lasts_a_second() {
    let counting = Counting::new(8);
    let now = Instant::now();
    assert_eq!(counting.get(1, Freshness::OneSecond, now).await, 1);
    assert_eq!(
        counting
            .get(1, Freshness::OneSecond, now + Duration::from_secs(1))
            .await,
        1
    );
    assert_eq!(
        counting
            .get(1, Freshness::OneSecond, now + Duration::from_millis(1001))
            .await,
        2
    );
}

#[tokio::test]
async fn the_count_not_used_for_longest_makes_room() {
    let counting = Counting::new(2);
    let now = Instant::now();
    let fresh = Freshness::While(stamps().0);
    counting.get(1, fresh, now).await;
    counting.get(2, fresh, now).await;
    counting.get(1, fresh, now).await;
    counting.get(3, fresh, now).await;
    assert_eq!(counting.get(1, fresh, now).await, 1, "used lately");
    assert_eq!(counting.get(2, fresh, now).await, 4, "forgotten");
}

#[tokio::test]
async fn many_callers_are_one_count() {
    let totals = Arc::new(totals(8));
    let now = Instant::now();
    let fresh = Freshness::While(stamps().0);
    let (go, wait) = oneshot::channel::<()>();
    let leader = {
        let totals = Arc::clone(&totals);
        tokio::spawn(async move {
            let count = || async {
                wait.await.unwrap();
                Ok(7)
            };
            totals.get(&statement(1), fresh, now, count).await.unwrap()
        })
    };
    tokio::task::yield_now().await;
    let followers: Vec<_> = (0..10)
        .map(|_| {
            let totals = Arc::clone(&totals);
            tokio::spawn(async move {
                let count = || async { panic!("counted twice") };
                totals.get(&statement(1), fresh, now, count).await.unwrap()
            })
        })
        .collect();
    tokio::task::yield_now().await;
    go.send(()).unwrap();
    assert_eq!(leader.await.unwrap(), 7);
    for follower in followers {
        assert_eq!(follower.await.unwrap(), 7);
    }
}

#[tokio::test]
async fn a_follower_takes_over_when_the_one_who_counts_goes_away_or_fails() {
    let totals = Arc::new(totals(8));
    let now = Instant::now();
    let fresh = Freshness::While(stamps().0);
    let leader = {
        let totals = Arc::clone(&totals);
        let count = std::future::pending;
        tokio::spawn(async move { totals.get(&statement(1), fresh, now, count).await.is_ok() })
    };
    tokio::task::yield_now().await;
    let follower = {
        let totals = Arc::clone(&totals);
        tokio::spawn(async move {
            totals
                .get(&statement(1), fresh, now, || async { Ok(3) })
                .await
                .unwrap()
        })
    };
    tokio::task::yield_now().await;
    leader.abort();
    assert_eq!(follower.await.unwrap(), 3);

    let failed = totals
        .get(&statement(2), fresh, now, || async {
            Err(RunError::timeout())
        })
        .await;
    assert!(failed.unwrap_err().is_timeout());
    let counted = totals
        .get(&statement(2), fresh, now, || async { Ok(4) })
        .await;
    assert_eq!(counted.unwrap(), 4, "a failure is not remembered");
}
