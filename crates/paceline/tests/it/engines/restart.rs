//! The server under the API is stopped and started again under load.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use paceline_test_servers::Postgres;

use crate::server::Server;

/// One answer, by when it was asked for and when it was there.
struct Seen {
    asked: Instant,
    status: u16,
    /// The number in the row, of an answer with rows.
    number: Option<u64>,
    is_problem: bool,
}

/// Requests without end.
struct Load {
    server: Server,
    over: AtomicBool,
    seen: Mutex<Vec<Seen>>,
    /// What is committed for certain: no answer asked for later may be older.
    committed: AtomicU64,
}

impl Load {
    fn read(&self, path: &str) {
        while !self.over.load(Ordering::SeqCst) {
            let (asked, least) = (Instant::now(), self.committed.load(Ordering::SeqCst));
            let answer = self.server.get(path);
            let number = (answer.status == 200).then(|| {
                let body = answer.json();
                let row = if path.contains('?') {
                    &body["data"][0]
                } else {
                    &body
                };
                row["n"].as_u64().unwrap()
            });
            assert!(
                number.is_none_or(|number| number >= least),
                "{number:?} after {least}: {path}"
            );
            self.seen.lock().unwrap().push(Seen {
                asked,
                status: answer.status.as_u16(),
                number,
                is_problem: answer.headers["content-type"] == "application/problem+json",
            });
        }
    }

    fn write(&self) {
        let mut n = 1;
        while !self.over.load(Ordering::SeqCst) {
            n += 1;
            let body = format!("{{\"n\":{n}}}");
            let answer = self.server.send_json("PATCH", "/api/post/1", &[], &body);
            match answer.status.as_u16() {
                200 => self.committed.store(n, Ordering::SeqCst),
                503 => assert!(answer.headers.contains_key("retry-after")),
                _ => panic!("{} {}", answer.status, answer.text()),
            }
        }
    }
}

#[test]
fn a_restart_under_load_is_errors_while_it_lasts_and_nothing_wrong_after() {
    for versions in [false, true] {
        restart(versions);
    }
}

fn restart(versions: bool) {
    let cluster = Postgres::start();
    let name = cluster.database();
    cluster.sql(
        &name,
        "CREATE TABLE post(id int PRIMARY KEY, n bigint NOT NULL, m int); INSERT INTO post VALUES (1, 1, 0)",
    );
    let url = cluster.url(&name);
    if versions {
        let mut install = std::process::Command::new(crate::server::BINARY);
        install.args(["migrate", "install-versions", &url, "--yes"]);
        assert!(install.output().unwrap().status.success());
    }
    let config = format!(
        "[database]\nurl = \"{url}\"\nquery_timeout = \"2s\"\n[pool]\nsize = 4\n[resources.post]\n\
         write = [\"update\"]\nanonymous_write = true\n"
    );
    let server = Server::serve(&config, tempfile::tempdir().unwrap());
    let load = Arc::new(Load {
        server,
        over: AtomicBool::new(false),
        seen: Mutex::new(Vec::new()),
        committed: AtomicU64::new(1),
    });
    let mut threads = Vec::new();
    for path in ["/api/post/1", "/api/post?limit=1", "/api/post?limit=2"] {
        let load = Arc::clone(&load);
        threads.push(std::thread::spawn(move || load.read(path)));
    }
    let writer = Arc::clone(&load);
    threads.push(std::thread::spawn(move || writer.write()));
    let Load {
        server,
        over,
        seen,
        committed,
    } = &*load;
    let wait = |what: &dyn Fn() -> bool| {
        let began = Instant::now();
        while !what() {
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "versions {versions}"
            );
            std::thread::park_timeout(Duration::from_millis(2));
        }
    };
    let answers = |from: usize, status: u16| {
        seen.lock().unwrap()[from..]
            .iter()
            .filter(|seen| seen.status == status)
            .count()
    };
    wait(&|| answers(0, 200) > 200 && committed.load(Ordering::SeqCst) > 20);
    assert_eq!(
        answers(0, 200),
        seen.lock().unwrap().len(),
        "no error before"
    );
    let stopping = Instant::now();
    cluster.shut_down();
    let down_from = seen.lock().unwrap().len();
    wait(&|| answers(down_from, 503) > 20);
    // A stranger writes as soon as it is back, whether anybody listens already or not.
    assert!(cluster.run());
    let back = Instant::now();
    cluster.sql(&name, "UPDATE post SET m = 1");
    let up_from = seen.lock().unwrap().len();
    wait(&|| answers(up_from, 200) > 200);
    over.store(true, Ordering::SeqCst);
    for thread in threads {
        thread.join().unwrap();
    }
    for path in ["/api/post/1", "/api/post?limit=1"] {
        let body = server.get(path).text();
        assert!(
            body.contains("\"m\":1"),
            "what a stranger wrote in the gap: {body}"
        );
    }
    let seen = seen.lock().unwrap();
    judge(&seen, stopping, back);
    let while_down = seen.iter().filter(|one| one.status == 503).count();
    let recovered = seen
        .iter()
        .find(|one| one.asked > back && one.status == 200);
    println!(
        "versions {versions}: {} answers, {while_down} of them 503, the first good one asked {:?} after it was back",
        seen.len(),
        recovered.map(|one| one.asked - back)
    );
}

/// Errors only while the server was down, and no longer than it is allowed to take afterwards.
fn judge(seen: &[Seen], stopping: Instant, back: Instant) {
    for one in seen {
        match one.status {
            200 => assert!(one.number.is_some()),
            503 => {
                assert!(one.is_problem);
                assert!(
                    one.asked + Duration::from_secs(2) >= stopping,
                    "an error before the stop"
                );
                assert!(
                    one.asked <= back + Duration::from_secs(2),
                    "an error {:?} after it was back",
                    one.asked - back
                );
            }
            other => panic!("{other}"),
        }
    }
}
