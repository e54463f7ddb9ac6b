//! What the processes say they did, in files that survive them, and the check.

use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use paceline_jobs::{JobId, Queue, State};

/// A file of lines, each written in one piece.
#[derive(Debug)]
pub(crate) struct Ledger(File);

impl Ledger {
    pub(crate) fn append_to(path: &Path) -> Self {
        Self(
            OpenOptions::new()
                .create(true)
                .append(true)
                .open(path)
                .unwrap(),
        )
    }

    /// Survives the death of the process.
    pub(crate) fn note(&mut self, line: &str) {
        self.0.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// Survives the death of the machine too.
    pub(crate) fn note_durably(&mut self, line: &str) {
        self.note(line);
        self.0.sync_data().unwrap();
    }
}

/// The whole lines of a ledger; a process that died while writing left at most the last one in part.
fn lines(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(str::to_owned).collect()
}

/// The jobs that were acknowledged.
pub(crate) fn acknowledged(path: &Path) -> HashSet<String> {
    lines(path).into_iter().collect()
}

/// Every acknowledged job was run and ended, no start of a job was run twice, and a job that was run more
/// than once had lost a lease each time.
pub(crate) async fn check(queue: &Queue<u64>, acknowledged: &HashSet<String>, runs: &Path) {
    let mut starts: HashMap<String, HashSet<u32>> = HashMap::new();
    for line in lines(runs) {
        let (id, start) = line.split_once(' ').unwrap();
        let fresh = starts
            .entry(id.to_owned())
            .or_default()
            .insert(start.parse().unwrap());
        assert!(fresh, "start {start} of the job {id} was run twice");
    }
    for id in acknowledged {
        let job = queue.get(&JobId::lookup(id)).await.unwrap();
        let job = job.unwrap_or_else(|| panic!("the acknowledged job {id} is gone"));
        let runs = starts.get(id).map_or(0, HashSet::len);
        match job.state {
            State::Completed => assert!(runs > 0, "{id} completed without a run"),
            State::Failed => assert!(job.failed_reason.is_some(), "{id} failed without a reason"),
            state => panic!("the acknowledged job {id} is left {state}"),
        }
        let lost = usize::try_from(job.starts).unwrap();
        assert!(runs <= lost, "{id} was run {runs} times in {lost} starts");
        let expected = lost - 1;
        assert!(
            usize::try_from(job.stalls).unwrap() >= expected || job.state == State::Failed,
            "{id} was started {lost} times but lost only {} leases",
            job.stalls
        );
    }
}
