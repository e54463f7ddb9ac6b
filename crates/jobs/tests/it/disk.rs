//! Trap 19: what the file goes through. Processes share it, readers hold it, disks fill up, power goes away.

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use paceline_jobs::rusqlite::Connection;
use paceline_jobs::{
    AddError, Durability, EngineError, EngineHandle, JobId, JobOptions, LeaseToken, OpenError,
    Queue, SqliteEngine, SqliteOptions, State,
};

use crate::store::{LEASE, Store, claim, completed, finish};

const FILE: &str = "PACELINE_DISK_TEST_FILE";
const LONG: Duration = Duration::from_secs(30);

/// This test program again, running one test as a process of its own.
fn child(test: &str, file: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", test, "--nocapture"])
        .env(FILE, file)
        .stdout(Stdio::piped());
    command
}

fn file_of_the_parent() -> Option<PathBuf> {
    std::env::var_os(FILE).map(PathBuf::from)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |found| found.len())
}

fn assert_sound(path: &Path, what: &str) {
    let connection = Connection::open(path).unwrap();
    let verdict: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(verdict, "ok", "{what}");
}

async fn missing(queue: &Queue<u32>, ids: &[JobId]) -> Vec<usize> {
    let mut missing = Vec::new();
    for (index, id) in ids.iter().enumerate() {
        if queue.get(id).await.unwrap().is_none() {
            missing.push(index);
        }
    }
    missing
}

/// Adds, takes and ends jobs; every answer must be one.
async fn write_load(path: &Path, jobs: u32) {
    let engine = EngineHandle::from(SqliteEngine::open(path).unwrap());
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let token = LeaseToken::random();
    for number in 0..jobs {
        queue.add("n", &number).await.unwrap();
        if number % 4 == 0 {
            for job in claim(&engine, "q", &token, 2).await {
                finish(&engine, &job, completed()).await.unwrap();
            }
        }
    }
    engine.stop(LONG).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn child_that_writes() {
    if let Some(file) = file_of_the_parent() {
        write_load(&file, 200).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_19_two_processes_under_write_load_and_no_caller_sees_a_lock() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.db");
    let children: Vec<_> = (0..2)
        .map(|_| child("disk::child_that_writes", &path).spawn().unwrap())
        .collect();
    write_load(&path, 200).await;
    for child in children {
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "the other process: {said}");
    }
    let engine = EngineHandle::from(SqliteEngine::open(&path).unwrap());
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let counts = queue.info().await.unwrap().unwrap().counts;
    assert_eq!(counts.completed + counts.waiting, 600, "{counts:?}");
    assert_eq!(counts.active, 0);
    assert_sound(&path, "after the load");
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_19_a_long_reader_makes_the_wal_grow_and_its_end_makes_it_bounded_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.db");
    let engine = EngineHandle::from(SqliteEngine::open(&path).unwrap());
    let queue: Queue<String> = Queue::new(&engine, "q").unwrap();
    queue.add("n", &String::new()).await.unwrap();
    let reader = Connection::open(&path).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let count = || -> i64 {
        let sql = "SELECT count(*) FROM paceline_jobs";
        reader.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(count(), 1);
    let payload = "x".repeat(64 * 1024);
    let add_many = async |calls: usize| {
        for _ in 0..calls {
            let jobs = (0..100).map(|_| ("n", &payload, JobOptions::new()));
            queue.add_bulk(jobs).await.unwrap();
        }
    };
    add_many(12).await;
    let wal = beside(&path, "-wal");
    let bound = 64 * 1024 * 1024;
    assert!(
        length(&wal) > bound,
        "the reader holds {} bytes",
        length(&wal)
    );
    assert_eq!(count(), 1, "it sees what it saw");
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(count(), 1_201);
    add_many(2).await;
    assert!(length(&wal) <= bound, "{} bytes", length(&wal));
    engine.stop(LONG).await;
    assert_eq!(length(&wal), 0, "a stop leaves a small file behind");
}

/// Adds as fast as it can while another thread moves the WAL into the file again and again.
#[tokio::test(flavor = "multi_thread")]
async fn child_that_is_killed_in_a_checkpoint() {
    let Some(file) = file_of_the_parent() else {
        return;
    };
    let engine = EngineHandle::from(SqliteEngine::open(&file).unwrap());
    std::thread::spawn(move || {
        let connection = Connection::open(&file).unwrap();
        loop {
            let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        }
    });
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    for number in 0_u32.. {
        let id = queue.add("n", &number).await.unwrap().id;
        println!("added {id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_19_kill_9_during_checkpoints_loses_nothing_that_was_answered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.db");
    let mut added = HashSet::new();
    let note = |line: &str, added: &mut HashSet<String>| {
        if let Some((_, id)) = line.split_once("added ")
            && id.len() == 32
        {
            added.insert(id.to_owned());
        }
    };
    for round in 0..6 {
        let mut child = child("disk::child_that_is_killed_in_a_checkpoint", &path)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let wanted = added.len() + 10 + round * 9;
        while added.len() < wanted {
            note(&lines.next().unwrap().unwrap(), &mut added);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines.map_while(Result::ok) {
            note(&line, &mut added);
        }
        assert_sound(&path, "after a kill");
    }
    let engine = EngineHandle::from(SqliteEngine::open(&path).unwrap());
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let ids: Vec<JobId> = added.iter().map(JobId::lookup).collect();
    assert_eq!(missing(&queue, &ids).await, [] as [usize; 0]);
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % bound.max(1)
    }
}

/// The files as a power loss leaves them: the main file, and of the WAL what had reached the disk, with or without
/// rubbish behind it.
struct Image {
    main: Vec<u8>,
    wal: Vec<u8>,
}

impl Image {
    fn of(path: &Path) -> Self {
        Self {
            main: fs::read(path).unwrap(),
            wal: fs::read(beside(path, "-wal")).unwrap_or_default(),
        }
    }

    /// Opens the image, which must be sound, and says which of the jobs are missing.
    async fn missing(
        &self,
        cut: usize,
        rubbish: bool,
        ids: &[JobId],
        dice: &mut Dice,
    ) -> Vec<usize> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jobs.db");
        fs::write(&path, &self.main).unwrap();
        let mut wal = self.wal[..cut].to_vec();
        if rubbish {
            wal.resize_with(self.wal.len(), || u8::try_from(dice.below(256)).unwrap());
        }
        fs::write(beside(&path, "-wal"), wal).unwrap();
        let engine = EngineHandle::from(SqliteEngine::open(&path).unwrap());
        let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
        let missing = missing(&queue, ids).await;
        // It also works on.
        let id = queue.add("n", &1).await.unwrap().id;
        assert!(queue.get(&id).await.unwrap().is_some());
        assert_sound(&path, &format!("cut at {cut}"));
        missing
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_19_power_loss_full_keeps_every_add_that_was_answered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.db");
    let engine = EngineHandle::from(SqliteEngine::open(&path).unwrap());
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let wal = beside(&path, "-wal");
    let token = LeaseToken::random();
    let (mut ids, mut synced) = (Vec::new(), Vec::new());
    for number in 0..40 {
        ids.push(queue.add("n", &number).await.unwrap().id);
        // An answered add was synced, so all that the WAL had then is on the disk.
        synced.push(usize::try_from(length(&wal)).unwrap());
        if number % 3 == 0 {
            // Not synced by itself.
            claim(&engine, "q", &token, 1).await;
        }
    }
    let image = Image::of(&path);
    let mut dice = Dice(7);
    for round in 0..24 {
        let cut = usize::try_from(dice.below(image.wal.len() as u64 + 1)).unwrap();
        let answered = synced.iter().filter(|end| **end <= cut).count();
        let missing = image.missing(cut, round % 2 == 0, &ids, &mut dice).await;
        let lost: Vec<_> = missing.iter().filter(|index| **index < answered).collect();
        assert!(
            lost.is_empty(),
            "cut at {cut}: of {answered} answered, lost {lost:?}"
        );
    }
    assert_eq!(
        image.missing(image.wal.len(), false, &ids, &mut dice).await,
        [] as [usize; 0]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_19_power_loss_normal_keeps_a_sound_file_and_what_was_checkpointed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.db");
    let options = SqliteOptions::new(&path).durability(Durability::Normal);
    let engine = EngineHandle::from(options.open().unwrap());
    let queue: Queue<u32> = Queue::new(&engine, "q").unwrap();
    let mut ids = Vec::new();
    for number in 0..20 {
        ids.push(queue.add("n", &number).await.unwrap().id);
    }
    let before = Image::of(&path);
    let other = Connection::open(&path).unwrap();
    other
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    let mut dice = Dice(11);

    // In the middle of the checkpoint: some pages are in the main file, and the WAL was synced before the first.
    let after = fs::read(&path).unwrap();
    for _ in 0..6 {
        let mut main = before.main.clone();
        main.resize(after.len(), 0);
        for (old, new) in main.chunks_mut(4096).zip(after.chunks(4096)) {
            if dice.below(2) == 0 {
                old.copy_from_slice(new);
            }
        }
        let wal = before.wal.clone();
        let torn = Image { main, wal };
        let missing = torn.missing(torn.wal.len(), false, &ids, &mut dice).await;
        assert_eq!(missing, [] as [usize; 0]);
    }

    for number in 20..50 {
        ids.push(queue.add("n", &number).await.unwrap().id);
    }
    let image = Image::of(&path);
    for round in 0..16 {
        let cut = usize::try_from(dice.below(image.wal.len() as u64 + 1)).unwrap();
        let missing = image.missing(cut, round % 2 == 0, &ids, &mut dice).await;
        let first = missing.first().copied().unwrap_or(ids.len());
        assert!(
            first >= 20,
            "cut at {cut}: lost {first}, which was checkpointed"
        );
        let tail: Vec<usize> = (first..ids.len()).collect();
        assert_eq!(missing, tail, "cut at {cut}: only the newest may be lost");
    }
}

#[tokio::test]
async fn trap_19_a_full_disk_refuses_adds_keeps_the_others_and_removals_make_room() {
    let store = Store::with(|options| options.max_size(600 * 1024));
    let queue: Queue<String> = Queue::new(&store.engine, "q").unwrap();
    let payload = "x".repeat(10_000);
    let mut ids = Vec::new();
    let refused = loop {
        match queue.add("n", &payload).await {
            Ok(added) => ids.push(added.id),
            Err(error) => break error,
        }
        assert!(ids.len() < 1_000, "it is full some time");
    };
    let AddError::Engine(EngineError::Storage(cause)) = &refused else {
        panic!("{refused}");
    };
    assert!(cause.to_string().contains("full"), "{cause}");
    assert!(ids.len() > 5);
    assert_eq!(
        queue.info().await.unwrap().unwrap().counts.waiting,
        ids.len() as u64
    );
    for id in &ids {
        assert!(queue.get(id).await.unwrap().is_some());
    }
    queue.remove(&ids[0]).await.unwrap();
    queue.remove(&ids[1]).await.unwrap();
    queue.add("n", &payload).await.unwrap();
    assert_sound(&store.folder.path().join("jobs.db"), "after it was full");
}

#[test]
fn child_that_may_not_write() {
    let Some(file) = file_of_the_parent() else {
        return;
    };
    match SqliteEngine::open(&file) {
        Err(OpenError::ReadOnly { path }) => println!("refused: {}", path == file),
        other => println!("not refused: {other:?}"),
    }
}

#[test]
fn trap_19_a_read_only_file_is_refused_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.db");
    drop(
        Connection::open(&path)
            .unwrap()
            .execute_batch("PRAGMA user_version = 0; VACUUM"),
    );
    let mode =
        |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    mode(&path, 0o444);
    mode(folder.path(), 0o555);
    let mut command = child("disk::child_that_may_not_write", &path);
    if fs::OpenOptions::new().write(true).open(&path).is_ok() {
        // The superuser may write to anything, so the child is nobody. Its program must be one nobody can read.
        let program = folder.path().join("program");
        mode(folder.path(), 0o755);
        fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        mode(&program, 0o755);
        mode(folder.path(), 0o555);
        let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        command = Command::new("setpriv");
        command
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(program)
            .args(arguments)
            .env(FILE, &path);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("refused: true"), "{said} {output:?}");
    mode(folder.path(), 0o755);
}

#[tokio::test]
async fn trap_19_a_copy_made_while_the_store_is_in_use_is_a_store() {
    let store = Store::new();
    let queue: Queue<u32> = Queue::new(&store.engine, "q").unwrap();
    for number in 0..30 {
        queue.add("n", &number).await.unwrap();
    }
    let token = LeaseToken::random();
    let jobs = claim(&store.engine, "q", &token, 10).await;
    for job in &jobs[..5] {
        finish(&store.engine, job, completed()).await.unwrap();
    }
    let writing = queue.clone();
    let writing = tokio::spawn(async move {
        for number in 30..60 {
            writing.add("n", &number).await.unwrap();
        }
    });
    let copy = store.folder.path().join("copy.db");
    let connection = Connection::open(store.folder.path().join("jobs.db")).unwrap();
    connection.busy_timeout(LONG).unwrap();
    tokio::task::yield_now().await;
    connection
        .execute("VACUUM INTO ?1", [copy.to_str().unwrap()])
        .unwrap();
    writing.await.unwrap();

    let options = SqliteOptions::new(&copy).clock(store.clock.clone());
    let restored = EngineHandle::from(options.open().unwrap());
    let there: Queue<u32> = Queue::new(&restored, "q").unwrap();
    let counts = there.info().await.unwrap().unwrap().counts;
    assert_eq!((counts.active, counts.completed), (5, 5));
    assert!((20..=50).contains(&counts.waiting), "{counts:?}");
    assert_eq!(
        there
            .list(State::Waiting, paceline_jobs::Page::default())
            .await
            .unwrap()
            .total,
        counts.waiting
    );
    // What was active in the original is run again in the copy, once the leases end.
    store.clock.advance(LEASE + Duration::from_secs(1));
    assert_eq!(restored.sweep().await.unwrap().recovered, 5);
    assert_sound(&copy, "the copy");
}
