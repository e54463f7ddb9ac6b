//! This test program, started again as a client of its own: one that can be frozen, and whose statement names begin
//! at the beginning.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use super::{ask, lease, pool, with_causes};

const ROLE: &str = "PACELINE_POOL_ROLE";
const URL: &str = "PACELINE_POOL_URL";

/// What a client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Asks once; again when it is told to.
    Asks,
    /// Runs many different statements and checks each answer.
    Checks,
    /// Prepares named statements, as it must not.
    Prepares,
    /// Reads columns of types that are not built in.
    ReadsTypes,
}

const ROLES: [(&str, Role); 4] = [
    ("asks", Role::Asks),
    ("checks", Role::Checks),
    ("prepares", Role::Prepares),
    ("reads-types", Role::ReadsTypes),
];

/// A client that runs.
pub(super) struct Client {
    pub(super) child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Client {
    pub(super) fn start(role: Role, url: &str) -> Self {
        let name = ROLES.iter().find(|known| known.1 == role).unwrap().0;
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "pool::process::client", "--nocapture", "--quiet"])
            .env(ROLE, name)
            .env(URL, url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            input: child.stdin.take().unwrap(),
            lines: BufReader::new(child.stdout.take().unwrap()).lines(),
            child,
        }
    }

    /// What it says next, after `heading`.
    pub(super) fn hears(&mut self, heading: &str) -> String {
        self.lines
            .by_ref()
            .map(Result::unwrap)
            .find_map(|line| {
                line.strip_prefix(heading)
                    .map(|rest| rest.trim().to_owned())
            })
            .unwrap_or_else(|| panic!("the client ended without saying {heading}"))
    }

    pub(super) fn go_on(&mut self) {
        writeln!(self.input).unwrap();
    }

    /// Sends it a signal.
    pub(super) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([name, &self.child.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Not a test: the client, when this program was started as one.
#[tokio::test]
async fn client() {
    let Ok(name) = std::env::var(ROLE) else {
        return;
    };
    let url = std::env::var(URL).unwrap();
    match ROLES.iter().find(|known| known.0 == name).unwrap().1 {
        Role::Asks => asks(&url).await,
        Role::Checks => checks(&url).await,
        Role::Prepares => prepares(&url).await,
        Role::ReadsTypes => reads_types(&url).await,
    }
}

/// One line to the test that started this process.
fn say(heading: &str, text: impl std::fmt::Display) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{heading} {text}").unwrap();
    out.flush().unwrap();
}

async fn told() {
    let reading = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
    assert!(reading.await.unwrap().unwrap() > 0, "the test is over");
}

async fn asks(url: &str) {
    let pool = pool(url, 1);
    let backend = "SELECT pg_catalog.pg_backend_pid()::text";
    say("backend", ask(&pool, backend).await.unwrap());
    loop {
        told().await;
        let start = Instant::now();
        let answer = ask(&pool, backend).await;
        let took = start.elapsed();
        match answer {
            Ok(backend) => say("answer", backend),
            Err(error) => say("answer", format!("failed: {}", with_causes(&error))),
        }
        say("micros", took.as_micros());
        let counts = pool.statistics().counts;
        say("failed-checks", counts.failed_checks);
        say("failed-attempts", counts.failed_attempts);
    }
}

/// How many statements a client checks.
const STATEMENTS: u32 = 200;

async fn checks(url: &str) {
    let pool = pool(url, 1);
    let mut wrong = 0;
    let mut failed = 0;
    for number in 0..STATEMENTS {
        let mine = format!("{}-{number}", std::process::id());
        // The text of each statement is its own, as with statements of different requests.
        let statement = format!("SELECT $1::text || '-{number}'");
        let lease = lease(&pool).await;
        let text = mine.as_str();
        let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), _); 1] =
            [(&text, tokio_postgres::types::Type::TEXT)];
        match lease.query_typed_one(&statement, &parameters).await {
            Ok(row) => wrong += u32::from(row.get::<_, String>(0) != format!("{mine}-{number}")),
            Err(error) => {
                failed += 1;
                say("failure", with_causes(&error));
            }
        }
    }
    say("statements", lease(&pool).await.statements());
    say("wrong", wrong);
    say("failed", failed);
}

async fn prepares(url: &str) {
    let pool = pool(url, 1);
    let lease = lease(&pool).await;
    let mut kept = Vec::new();
    for number in 0..5 {
        match lease.prepare(&format!("SELECT {number}")).await {
            Ok(statement) => kept.push(statement),
            Err(error) => {
                say("state", error.code().map_or("none", |state| state.code()));
                return;
            }
        }
    }
    say("state", "prepared");
    told().await;
}

async fn reads_types(url: &str) {
    let pool = pool(url, 1);
    for _ in 0..20 {
        let lease = lease(&pool).await;
        let sql = "SELECT mood::text, score::text, place::text, moods::text FROM typed";
        match lease.query_typed_one(sql, &[]).await {
            Ok(row) => {
                let columns = [0, 1, 2, 3].map(|column| row.get::<_, String>(column));
                assert_eq!(columns, ["happy", "7", "(1,2)", "{happy,sad}"]);
            }
            Err(error) => {
                say("types", with_causes(&error));
                return;
            }
        }
    }
    say("types", "read");
}
