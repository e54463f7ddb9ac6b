//! Writers and readers at once, with a checker: nobody reads older than what they wrote through us, whatever becomes
//! of the listening session, of strangers' writes and of long transactions.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use paceline_data::version::Stamp;

use super::{Told, until};

const ROWS: i64 = 4;

/// Answers kept under stamps, as a server keeps them.
#[derive(Default)]
struct Kept {
    answers: Mutex<HashMap<i64, (Stamp, i64)>>,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl Kept {
    /// The number in a row: kept, or read and kept.
    async fn read(&self, told: &Told, row: i64) -> i64 {
        let tables = [told.id("counter")];
        let now = told.database.stamp(&tables);
        let kept = self.answers.lock().unwrap().get(&row).copied();
        if let (Some(now), Some((stamp, value))) = (now, kept)
            && now == stamp
        {
            self.hits.fetch_add(1, Ordering::Relaxed);
            return value;
        }
        self.misses.fetch_add(1, Ordering::Relaxed);
        let ticket = told.database.begin_read(&tables);
        let sql = format!("SELECT n::bigint FROM counter WHERE id = {row}");
        let value = told.number(&sql).await;
        if ticket.still_valid() {
            let stamp = ticket.stamp().expect("it is valid");
            self.answers.lock().unwrap().insert(row, (stamp, value));
        }
        value
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_writer_reads_older_than_its_own_write() {
    let told = Told::open(
        "CREATE TABLE counter(id int PRIMARY KEY, n int NOT NULL); CREATE TABLE noise(id int PRIMARY KEY, n int);
         INSERT INTO counter SELECT i, 0 FROM generate_series(0, 3) AS i; INSERT INTO noise SELECT i, 0 FROM generate_series(0, 3) AS i;",
    )
    .await;
    let told = Arc::new(told);
    let kept = Arc::new(Kept::default());
    let over = Arc::new(AtomicBool::new(false));
    let mut tasks = tokio::task::JoinSet::new();
    // Each writer has a row of its own, and reads it back through what is kept.
    for row in 0..ROWS {
        let (told, kept, over) = (Arc::clone(&told), Arc::clone(&kept), Arc::clone(&over));
        tasks.spawn(async move {
            let mut n = 0;
            while !over.load(Ordering::Relaxed) {
                n += 1;
                told.set("counter", row, n).await;
                for _ in 0..3 {
                    let read = kept.read(&told, row).await;
                    assert_eq!(read, n, "row {row} is older than what was written");
                }
            }
        });
    }
    // Readers of all rows: for each of them numbers only grow.
    for _ in 0..2 {
        let (told, kept, over) = (Arc::clone(&told), Arc::clone(&kept), Arc::clone(&over));
        tasks.spawn(async move {
            while !over.load(Ordering::Relaxed) {
                for row in 0..ROWS {
                    kept.read(&told, row).await;
                }
                tokio::task::yield_now().await;
            }
        });
    }
    // A stranger whose transactions overlap ours, and whose commits come late.
    let (stranger, over_too) = (told.stranger().await, Arc::clone(&over));
    tasks.spawn(async move {
        while !over_too.load(Ordering::Relaxed) {
            let sql = "BEGIN; UPDATE noise SET n = n + 1; SELECT pg_sleep(0.01); COMMIT";
            stranger.batch_execute(sql).await.unwrap();
        }
    });
    let began = Instant::now();
    let mut kills = 0;
    while began.elapsed() < Duration::from_secs(4) && tasks.try_join_next().is_none() {
        let next = Duration::from_millis(400) * (kills + 1);
        until("the next kill", Duration::from_secs(5), || {
            began.elapsed() > next
        })
        .await;
        told.kill_the_listener();
        kills += 1;
    }
    over.store(true, Ordering::Relaxed);
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    let (hits, misses) = (
        kept.hits.load(Ordering::Relaxed),
        kept.misses.load(Ordering::Relaxed),
    );
    println!("{hits} kept, {misses} read, {kills} sessions killed");
    assert!(hits > 100, "{hits} answers were kept");
}
