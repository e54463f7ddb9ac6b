//! A private `PgBouncer` in front of a [`Postgres`], in transaction mode.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use tempfile::TempDir;

use crate::account::Account;
use crate::port::{free_port, listens};
use crate::postgres::{self, Postgres};
use crate::program::on_path;

/// Which `PgBouncer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// 1.18, of Debian 12: knows no prepared statements in transaction mode.
    V1_18,
    /// 1.24, of Debian 13, unpacked beside it: follows prepared statements.
    V1_24,
}

impl Release {
    /// Both.
    pub const ALL: [Self; 2] = [Self::V1_18, Self::V1_24];
}

/// A running pooler. Takes every database of its cluster, for [`Postgres::USER`].
#[derive(Debug)]
pub struct PgBouncer {
    child: Mutex<Option<Child>>,
    folder: TempDir,
    account: Option<Account>,
    program: PathBuf,
    port: u16,
}

impl PgBouncer {
    /// One in front of `cluster`, with its defaults but for the mode (transaction).
    pub fn start(release: Release, cluster: &Postgres) -> Self {
        Self::start_with(release, cluster, &[])
    }

    /// The same with more settings (`default_pool_size`, ...). Nothing is set that makes it more lenient than it
    /// comes: `ignore_startup_parameters` stays empty.
    pub fn start_with(release: Release, cluster: &Postgres, settings: &[(&str, &str)]) -> Self {
        for _ in 0..10 {
            let pooler = Self {
                child: Mutex::new(None),
                folder: tempfile::tempdir().expect("a temporary folder"),
                account: Account::unprivileged(),
                program: program(release),
                port: free_port(),
            };
            pooler.configure(cluster.port(), settings);
            if pooler.run() {
                return pooler;
            }
        }
        panic!("pgbouncer found no free port in ten attempts");
    }

    /// Where it listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of a database through it.
    pub fn url(&self, database: &str) -> String {
        postgres::url("127.0.0.1", self.port, database)
    }

    /// Starts it. False when it did not come up.
    pub fn run(&self) -> bool {
        let mut command = Command::new(&self.program);
        if let Some(account) = &self.account {
            // It changes to the account by itself, after it was loaded from where that account may not look.
            command.args(["--user", &account.name]);
        }
        let log = std::fs::File::create(self.folder.path().join("log")).expect("a file");
        let child = command
            .arg(self.file("pgbouncer.ini"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{} could not be started: {error}", self.program.display())
            });
        let mut slot = self.child.lock().expect("no test panicked in here");
        let child = slot.insert(child);
        listens(self.port, || {
            child.try_wait().is_ok_and(|status| status.is_some())
        })
    }

    /// Ends it without warning.
    pub fn kill(&self) {
        let child = self.child.lock().map(|mut child| child.take());
        if let Ok(Some(mut child)) = child {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// What it wrote.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.file("log")).unwrap_or_default()
    }

    fn configure(&self, cluster: u16, settings: &[(&str, &str)]) {
        let users = self.file("users.txt");
        let mut text = format!(
            "[databases]\n* = host=127.0.0.1 port={cluster}\n[pgbouncer]\n\
             listen_addr = 127.0.0.1\nlisten_port = {}\nunix_socket_dir =\n\
             auth_type = scram-sha-256\nauth_file = {}\nadmin_users = {}\npool_mode = transaction\n",
            self.port,
            users.display(),
            Postgres::USER
        );
        for (name, value) in settings {
            writeln!(text, "{name} = {value}").expect("memory takes it");
        }
        self.write("pgbouncer.ini", &text);
        self.write(
            "users.txt",
            &format!("\"{}\" \"{}\"\n", Postgres::USER, Postgres::PASSWORD),
        );
        self.own(self.folder.path());
    }

    fn write(&self, name: &str, text: &str) {
        let file = self.file(name);
        std::fs::write(&file, text).expect("a file");
        self.own(&file);
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn own(&self, path: &Path) {
        if let Some(account) = &self.account {
            account.own(path);
        }
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn program(release: Release) -> PathBuf {
    match release {
        Release::V1_18 => on_path("pgbouncer").expect(
            "these tests need pgbouncer (Debian package pgbouncer); `cargo xtask test` installs it",
        ),
        Release::V1_24 => {
            let unpacked = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("../../target/pgbouncer-1.24/tree/usr/sbin/pgbouncer");
            let program =
                std::env::var_os("PACELINE_PGBOUNCER_1_24").map_or(unpacked, PathBuf::from);
            assert!(
                program.is_file(),
                "these tests need a second PgBouncer, which `cargo xtask test` unpacks: {} is not there",
                program.display()
            );
            program
        }
    }
}
