//! Jobs that are added together with the application's rows.

use std::time::Duration;

use paceline_jobs::rusqlite::{Connection, TransactionBehavior};
use paceline_jobs::{
    AddError, EngineError, EngineHandle, Job, JobError, JobOptions, LeaseToken, Queue, Shutdown,
    SqliteOptions, Worker,
};
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::store::claim;

/// An application's database with a table of its own, and the job store in it.
struct Shop {
    connection: Connection,
    engine: EngineHandle,
    folder: TempDir,
}

impl Shop {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db");
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch("CREATE TABLE orders (id INTEGER PRIMARY KEY)")
            .unwrap();
        let engine = SqliteOptions::new(&path).shared().open().unwrap().into();
        Self {
            connection,
            engine,
            folder,
        }
    }

    fn queue(&self) -> Queue<u32> {
        Queue::new(&self.engine, "q").unwrap()
    }

    fn orders(&self) -> i64 {
        let count = "SELECT count(*) FROM orders";
        self.connection
            .query_row(count, [], |row| row.get(0))
            .unwrap()
    }

    /// An order and its job, in one transaction.
    fn order(&mut self, number: u32, commit: bool) {
        let queue = self.queue();
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .unwrap();
        transaction
            .execute("INSERT INTO orders VALUES (?1)", [number])
            .unwrap();
        queue
            .add_in(&transaction, "n", &number, JobOptions::new())
            .unwrap();
        if commit {
            transaction.commit().unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_makes_the_job_visible_and_wakes_a_sleeping_worker_and_a_rollback_leaves_nothing()
{
    let mut shop = Shop::new();
    let queue = shop.queue();
    let (told, mut heard) = mpsc::unbounded_channel();
    // The poll bound is far away: only the commit can wake the worker.
    let worker = Worker::builder(queue.clone())
        .poll(Duration::from_mins(10))
        .start(move |job: Job<u32>| {
            let told = told.clone();
            async move {
                told.send(*job.data()).unwrap();
                Ok::<_, JobError>(())
            }
        });
    for number in 0..20 {
        shop.order(number, number % 2 == 0);
        if number % 2 == 0 {
            let seen = tokio::time::timeout(Duration::from_secs(20), heard.recv()).await;
            assert_eq!(seen.expect("in time"), Some(number));
        }
    }
    worker.stop(Duration::from_secs(1)).await;
    assert_eq!(shop.orders(), 10);
    let counts = queue.info().await.unwrap().unwrap().counts;
    assert_eq!((counts.completed, counts.not_started()), (10, 0));
}

#[tokio::test]
async fn counts_and_order_hold_between_the_application_and_the_engine() {
    let mut shop = Shop::new();
    let queue = shop.queue();
    for number in 0..10 {
        shop.order(2 * number, true);
        queue.add("n", &(2 * number + 1)).await.unwrap();
    }
    assert_eq!(queue.info().await.unwrap().unwrap().counts.waiting, 20);
    let jobs = claim(&shop.engine, "q", &LeaseToken::random(), 100).await;
    let order: Vec<u32> = jobs
        .iter()
        .map(|job| job.data.get().parse().unwrap())
        .collect();
    assert_eq!(order, (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_refused_add_leaves_the_transaction_as_it_was() {
    let mut shop = Shop::new();
    let full = shop.queue().max_waiting(1);
    let transaction = shop
        .connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .unwrap();
    transaction
        .execute("INSERT INTO orders VALUES (1)", [])
        .unwrap();
    full.add_in(&transaction, "n", &1, JobOptions::new())
        .unwrap();
    let refused = full
        .add_in(&transaction, "n", &2, JobOptions::new())
        .unwrap_err();
    assert!(
        matches!(refused, AddError::QueueFull { max: 1, .. }),
        "{refused}"
    );
    let long = "x".repeat(256);
    let refused = full
        .add_in(&transaction, &long, &2, JobOptions::new())
        .unwrap_err();
    assert!(
        matches!(refused, AddError::TooLarge { size: 256, .. }),
        "{refused}"
    );
    transaction.commit().unwrap();
    assert_eq!(shop.orders(), 1);
    assert_eq!(full.info().await.unwrap().unwrap().counts.not_started(), 1);
}

#[tokio::test]
async fn a_transaction_on_another_file_is_refused_and_a_link_to_the_same_is_not() {
    let shop = Shop::new();
    let queue = shop.queue();
    for path in ["other.db", ":memory:"] {
        let path = match path {
            ":memory:" => path.into(),
            name => shop.folder.path().join(name),
        };
        let mut other = Connection::open(path).unwrap();
        let transaction = other.transaction().unwrap();
        let refused = queue
            .add_in(&transaction, "n", &1, JobOptions::new())
            .unwrap_err();
        assert!(
            matches!(refused, AddError::OtherDatabase { .. }),
            "{refused}"
        );
    }
    let link = shop.folder.path().join("link.db");
    std::os::unix::fs::symlink(shop.folder.path().join("shop.db"), &link).unwrap();
    let mut linked = Connection::open(link).unwrap();
    let transaction = linked.transaction().unwrap();
    queue
        .add_in(&transaction, "n", &1, JobOptions::new())
        .unwrap();
    transaction.commit().unwrap();
    assert_eq!(queue.info().await.unwrap().unwrap().counts.waiting, 1);
}

#[tokio::test]
async fn a_deferred_transaction_that_read_before_another_write_is_told_that_it_is_too_late() {
    let mut shop = Shop::new();
    let queue = shop.queue();
    let transaction = shop.connection.transaction().unwrap();
    let seen: i64 = transaction
        .query_row("SELECT count(*) FROM orders", [], |row| row.get(0))
        .unwrap();
    assert_eq!(seen, 0);
    queue.add("n", &1).await.unwrap();
    let refused = queue
        .add_in(&transaction, "n", &2, JobOptions::new())
        .unwrap_err();
    assert!(
        matches!(refused, AddError::Engine(EngineError::Busy(_))),
        "{refused}"
    );
    drop(transaction);
    shop.order(3, true);
    assert_eq!(queue.info().await.unwrap().unwrap().counts.waiting, 2);
}

#[tokio::test]
async fn adds_of_the_engine_wait_for_the_application_to_commit() {
    let mut shop = Shop::new();
    let queue = shop.queue();
    let transaction = shop
        .connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .unwrap();
    queue
        .add_in(&transaction, "n", &1, JobOptions::new())
        .unwrap();
    let adding = queue.clone();
    let adding = tokio::spawn(async move { adding.add("n", &2).await });
    tokio::task::yield_now().await;
    transaction.commit().unwrap();
    adding.await.unwrap().unwrap();
    let jobs = claim(&shop.engine, "q", &LeaseToken::random(), 10).await;
    let order: Vec<_> = jobs.iter().map(|job| job.data.get()).collect();
    assert_eq!(order, ["1", "2"]);
}
