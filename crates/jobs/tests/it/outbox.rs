//! The outbox: what was committed arrives, once, in order, whoever dies on the way.

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use paceline_jobs::rusqlite::{Connection, TransactionBehavior};
use paceline_jobs::{
    AddError, EngineHandle, JobId, JobOptions, LeaseToken, Limits, Outbox, OutboxRelay, Queue,
    Shutdown, SqliteEngine, SqliteOptions,
};
use tempfile::TempDir;

use crate::store::claim;

const LONG: Duration = Duration::from_secs(30);

struct Shop {
    connection: Connection,
    outbox: Outbox,
    folder: TempDir,
}

impl Shop {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let connection = open_shop(folder.path());
        let outbox = Outbox::new(&connection).unwrap();
        Self {
            connection,
            outbox,
            folder,
        }
    }

    /// The engine elsewhere.
    fn target(&self, change: impl FnOnce(SqliteOptions) -> SqliteOptions) -> EngineHandle {
        let options = SqliteOptions::new(self.folder.path().join("jobs.db"));
        change(options).open().unwrap().into()
    }

    fn relay(&self, target: &EngineHandle) -> OutboxRelay {
        OutboxRelay::start(self.folder.path().join("shop.db"), target).unwrap()
    }

    fn add(&mut self, queue: &str, number: u32, options: JobOptions) -> JobId {
        let transaction = self.connection.transaction().unwrap();
        let id = self
            .outbox
            .add_in(&transaction, queue, "n", &number, options);
        transaction.commit().unwrap();
        id.unwrap()
    }

    /// Waits, within a bound, until nothing waits to be moved.
    async fn emptied(&self) {
        until_empty(&self.outbox, &self.connection).await;
    }
}

fn open_shop(folder: &Path) -> Connection {
    let connection = Connection::open(folder.join("shop.db")).unwrap();
    connection.busy_timeout(LONG).unwrap();
    let mode = "PRAGMA journal_mode = WAL";
    let mode: String = connection.query_row(mode, [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    connection
}

async fn until_empty(outbox: &Outbox, connection: &Connection) {
    let began = Instant::now();
    while outbox.status(connection).unwrap().waiting > 0 {
        assert!(began.elapsed() < LONG, "the relay moves what waits");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn payloads(target: &EngineHandle, queue: &str) -> Vec<String> {
    let jobs = claim(target, queue, &LeaseToken::random(), 1_000).await;
    jobs.iter().map(|job| job.data.get().to_owned()).collect()
}

#[tokio::test]
async fn committed_jobs_arrive_in_order_with_their_options_and_rolled_back_ones_never() {
    let mut shop = Shop::new();
    let target = shop.target(|options| options);
    // Some are there before the relay, some come while it runs.
    let first = shop.add("q", 0, JobOptions::new());
    assert_eq!(first.as_str().len(), 32);
    let relay = shop.relay(&target);
    for number in 1..200 {
        shop.add(
            if number % 3 == 0 { "other" } else { "q" },
            number,
            JobOptions::new(),
        );
    }
    let transaction = shop.connection.transaction().unwrap();
    shop.outbox
        .add_in(&transaction, "q", "n", &1_000, JobOptions::new())
        .unwrap();
    transaction.rollback().unwrap();
    let options = JobOptions::new().id("own").unwrap().attempts(7);
    assert_eq!(shop.add("q", 200, options).as_str(), "own");
    shop.emptied().await;
    let queue: Queue<u32> = Queue::new(&target, "q").unwrap();
    assert!(queue.get(&first).await.unwrap().is_some());
    let own = queue.get(&JobId::lookup("own")).await.unwrap().unwrap();
    assert_eq!(own.max_attempts, 7);
    let expected = |other: bool| -> Vec<String> {
        let all = (0..=200_u32).filter(|number| {
            let elsewhere = *number > 0 && *number < 200 && number % 3 == 0;
            elsewhere == other
        });
        all.map(|number| number.to_string()).collect()
    };
    assert_eq!(payloads(&target, "q").await, expected(false));
    assert_eq!(payloads(&target, "other").await, expected(true));
    relay.stop(LONG).await;
}

#[tokio::test]
async fn a_target_that_is_away_is_waited_for() {
    let mut shop = Shop::new();
    let target = shop.target(|options| options.busy_bound(Duration::from_millis(1)));
    let blocker = Connection::open(shop.folder.path().join("jobs.db")).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let relay = shop.relay(&target);
    for number in 0..10 {
        shop.add("q", number, JobOptions::new());
    }
    let queue: Queue<u32> = Queue::new(&target, "q").unwrap();
    // It is away indeed.
    assert!(queue.add("n", &99).await.is_err());
    let began = Instant::now();
    while relay.trouble().is_none() {
        assert!(began.elapsed() < LONG, "the relay feels it");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(relay.trouble().unwrap().contains("locked"));
    assert_eq!(shop.outbox.status(&shop.connection).unwrap().waiting, 10);
    blocker.execute_batch("COMMIT").unwrap();
    shop.emptied().await;
    // Set to none after the row is gone.
    while relay.trouble().is_some() {
        assert!(began.elapsed() < LONG, "all is well again");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(payloads(&target, "q").await.len(), 10);
    relay.stop(LONG).await;
}

#[tokio::test]
async fn a_job_that_the_target_refuses_for_good_stays_visible_and_holds_nothing_up() {
    let mut shop = Shop::new();
    let target = shop.target(|options| {
        let mut limits = Limits::default();
        limits.payload = 3;
        options.limits(limits)
    });
    for number in [1, 22, 4_444, 333] {
        shop.add("q", number, JobOptions::new());
    }
    let odd = "INSERT INTO paceline_outbox (id, queue, name, data, options, created_at) VALUES ('x', 'q', 'n', '{', '{}', 0)";
    shop.connection.execute(odd, []).unwrap();
    let relay = shop.relay(&target);
    shop.emptied().await;
    assert_eq!(payloads(&target, "q").await, ["1", "22", "333"]);
    let status = shop.outbox.status(&shop.connection).unwrap();
    assert_eq!((status.waiting, status.refused), (0, 2));
    assert_eq!(
        status.last_refusal.as_deref(),
        Some("the outbox holds an unreadable payload")
    );
    // Once the cause is mended it goes its way.
    let mend = "UPDATE paceline_outbox SET data = '5', refused = NULL WHERE id <> 'x'";
    shop.connection.execute(mend, []).unwrap();
    shop.emptied().await;
    assert_eq!(payloads(&target, "q").await, ["5"]);
    relay.stop(LONG).await;
}

#[tokio::test]
async fn what_the_outbox_itself_refuses_leaves_the_transaction_as_it_was() {
    let mut shop = Shop::new();
    let mut limits = Limits::default();
    limits.payload = 3;
    let outbox = shop.outbox.clone().limits(limits);
    let transaction = shop.connection.transaction().unwrap();
    let add =
        |queue, number: u32| outbox.add_in(&transaction, queue, "n", &number, JobOptions::new());
    assert!(matches!(
        add("q", 4_444),
        Err(AddError::TooLarge { size: 4, .. })
    ));
    assert!(matches!(add("a:b", 1), Err(AddError::Invalid(_))));
    add("q", 1).unwrap();
    transaction.commit().unwrap();
    assert_eq!(shop.outbox.status(&shop.connection).unwrap().waiting, 1);
}

#[tokio::test]
async fn a_delay_counts_from_the_add_and_a_job_sent_twice_is_one_job() {
    let mut shop = Shop::new();
    let hour = Duration::from_hours(1);
    let id = shop.add("q", 1, JobOptions::new().delay(hour));
    let past = "UPDATE paceline_outbox SET created_at = created_at - 3600000";
    shop.connection.execute(past, []).unwrap();
    // As a relay leaves it that dies after the target took the job and before the row is deleted.
    let copy = "INSERT INTO paceline_outbox (id, queue, name, data, options, created_at) \
                SELECT id, queue, name, data, options, created_at FROM paceline_outbox";
    shop.connection.execute(copy, []).unwrap();
    let target = shop.target(|options| options);
    let relays = [shop.relay(&target), shop.relay(&target)];
    shop.emptied().await;
    let jobs = claim(&target, "q", &LeaseToken::random(), 10).await;
    assert_eq!(jobs.len(), 1, "due at once, and one");
    assert_eq!(jobs[0].lease.id, id);
    for relay in relays {
        relay.stop(LONG).await;
    }
}

const FOLDER: &str = "PACELINE_OUTBOX_TEST_FOLDER";

/// The dying process: adds and moves as fast as it can, and says what it committed. Without the variable it is a
/// test that passes.
#[tokio::test(flavor = "multi_thread")]
async fn child_that_is_killed() {
    let Ok(folder) = std::env::var(FOLDER) else {
        return;
    };
    let folder = Path::new(&folder);
    let mut connection = open_shop(folder);
    let outbox = Outbox::new(&connection).unwrap();
    let target = EngineHandle::from(SqliteEngine::open(folder.join("jobs.db")).unwrap());
    let _relay = OutboxRelay::start(folder.join("shop.db"), target).unwrap();
    // Enough at a time that the relay is seldom idle: the kill is to find it at work.
    let payload = "x".repeat(4_000);
    loop {
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .unwrap();
        let add = |_| outbox.add_in(&transaction, "q", "n", &payload, JobOptions::new());
        let ids: Vec<_> = (0..25).map(add).collect::<Result<_, _>>().unwrap();
        transaction.commit().unwrap();
        let lines: Vec<_> = ids.iter().map(|id| format!("committed {id}")).collect();
        println!("{}", lines.join("\n"));
        // Lets the relay have the lock.
        while outbox.status(&connection).unwrap().waiting > 50 {
            std::thread::yield_now();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_killed_at_any_point_loses_nothing_and_doubles_nothing() {
    let shop = Shop::new();
    let mut committed = HashSet::new();
    for round in 0..10_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "outbox::child_that_is_killed", "--nocapture"])
            .env(FOLDER, shop.folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Killed after another number of commits each round, while it goes on.
        let wanted = committed.len() + 100 + usize::try_from(round * 31).unwrap();
        while committed.len() < wanted {
            note(&lines.next().unwrap().unwrap(), &mut committed);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // A line that was cut is of a commit that stands all the same: the last one may be half an id.
        for line in lines.map_while(Result::ok) {
            note(&line, &mut committed);
        }
    }
    let target = shop.target(|options| options);
    let queue: Queue<u32> = Queue::new(&target, "q").unwrap();
    let moved = queue.info().await.unwrap().unwrap().counts.waiting;
    assert!(
        moved > 100,
        "the killed relays moved {moved} of {}",
        committed.len()
    );
    let relay = shop.relay(&target);
    shop.emptied().await;
    relay.stop(LONG).await;
    for id in &committed {
        assert!(
            queue.get(&JobId::lookup(id)).await.unwrap().is_some(),
            "{id} was lost"
        );
    }
    let there = queue.info().await.unwrap().unwrap().counts.waiting;
    let extra = there - committed.len() as u64;
    // A commit may have been killed before its lines were out, once a round.
    assert!(extra <= 10 * 25, "{extra} more than were committed");
}

fn note(line: &str, committed: &mut HashSet<String>) {
    if let Some((_, id)) = line.split_once("committed ")
        && id.len() == 32
    {
        committed.insert(id.to_owned());
    }
}
