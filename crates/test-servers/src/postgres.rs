//! A private `PostgreSQL` cluster.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tempfile::TempDir;

use crate::account::Account;
use crate::certificates::Authority;
use crate::namespace::Namespace;
use crate::port::free_port;
use crate::program::{self, output};

/// Settings of every cluster: quick. A commit survives the end of the processes, not of the machine.
const SETTINGS: [(&str, &str); 6] = [
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("shared_buffers", "32MB"),
    ("listen_addresses", "127.0.0.1"),
    ("log_line_prefix", "%p %a "),
    ("timezone", "UTC"),
];

/// Who may connect: everybody who knows the password, over TCP, as real servers have it.
const HBA: &str = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\nhost all all samenet scram-sha-256\n";

/// A running cluster. Its superuser is [`Postgres::USER`]; connections over TCP need [`Postgres::PASSWORD`].
#[derive(Debug)]
pub struct Postgres {
    folder: TempDir,
    account: Option<Account>,
    port: u16,
    databases: AtomicU32,
    namespace: Option<Namespace>,
}

impl Postgres {
    /// The superuser.
    pub const USER: &str = "paceline";
    /// The superuser's password.
    pub const PASSWORD: &str = "a-test's-password";

    /// A cluster of the test's own.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with more settings (`max_connections`, ...).
    pub fn start_with(settings: &[(&str, &str)]) -> Self {
        for _ in 0..10 {
            let cluster = Self::create(settings);
            if cluster.run() {
                return cluster;
            }
        }
        panic!("postgres found no free port in ten attempts");
    }

    /// The same with TLS: the certificate of `authority` is for `localhost`. Plain connections are taken too.
    pub fn start_with_tls(authority: &Authority) -> Self {
        for _ in 0..10 {
            let cluster = Self::create(&[]);
            let [certificate, key] = authority.copy_to(cluster.folder.path());
            cluster.own(&certificate);
            cluster.own(&key);
            cluster.configure(&[
                ("ssl", "on"),
                ("ssl_cert_file", &certificate.display().to_string()),
                ("ssl_key_file", &key.display().to_string()),
            ]);
            if cluster.run() {
                return cluster;
            }
        }
        panic!("postgres found no free port in ten attempts");
    }

    /// One in a network of its own, at the namespace's address. Through its socket it is reached from everywhere.
    pub fn start_in(namespace: Namespace) -> Self {
        let mut cluster = Self::create(&[("listen_addresses", "*")]);
        cluster.namespace = Some(namespace);
        assert!(cluster.run(), "{}", cluster.log());
        cluster
    }

    /// The network it was started in.
    pub fn namespace(&self) -> Option<&Namespace> {
        self.namespace.as_ref()
    }

    /// The one shared by the tests of this process that change nothing of its settings. Give each test a
    /// [`Postgres::database`] of its own.
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cluster) = shared.upgrade() {
            return cluster;
        }
        let cluster = Arc::new(Self::start());
        *shared = Arc::downgrade(&cluster);
        cluster
    }

    /// Its socket, which trusts everybody.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join(format!(".s.PGSQL.{}", self.port))
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of a database, as the superuser.
    pub fn url(&self, database: &str) -> String {
        let host = match &self.namespace {
            Some(namespace) => namespace.address().to_string(),
            None => "127.0.0.1".to_owned(),
        };
        url(&host, self.port, database)
    }

    /// The folder of its socket, where the superuser needs no password.
    pub fn socket_folder(&self) -> &Path {
        self.folder.path()
    }

    /// Makes a new empty database and gives its name.
    pub fn database(&self) -> String {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        name
    }

    /// Runs statements with psql, over the socket of the cluster; gives the rows, fields separated by `|`.
    /// Several statements share one transaction, unless one of them forbids that.
    pub fn sql(&self, database: &str, statements: &str) -> String {
        let mut psql = self.command("psql");
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
            .args(["--set", "ON_ERROR_STOP=1"])
            .arg("--host")
            .arg(self.folder.path())
            .args(["--port", &self.port.to_string()])
            .args(["--username", Self::USER, "--dbname", database])
            .args(["--command", statements]);
        output(&mut psql).trim_end().to_owned()
    }

    /// The schema of a database as `pg_dump` writes it.
    pub fn dump_schema(&self, database: &str) -> String {
        let mut dump = self.command("pg_dump");
        dump.arg("--schema-only")
            .arg("--host")
            .arg(self.folder.path())
            .args(["--port", &self.port.to_string()])
            .args(["--username", Self::USER, "--dbname", database]);
        // Newer releases write a random word into each dump.
        let text = output(&mut dump);
        let is_same =
            |line: &&str| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict");
        text.lines().filter(is_same).collect::<Vec<_>>().join("\n")
    }

    /// Runs a script with pgbench, over TCP as clients come; gives what it prints.
    pub fn pgbench(&self, database: &str, script: &str, arguments: &[&str]) -> String {
        let file = self.folder.path().join("pgbench.sql");
        std::fs::write(&file, script).expect("a file");
        self.own(&file);
        let mut pgbench = self.command("pgbench");
        pgbench
            .args(arguments)
            .arg("--file")
            .arg(&file)
            .args(["--host", "127.0.0.1", "--port", &self.port.to_string()])
            .args(["--username", Self::USER])
            .env("PGPASSWORD", Self::PASSWORD)
            .arg(database);
        output(&mut pgbench)
    }

    /// Runs a file of statements with psql.
    pub fn sql_file(&self, database: &str, file: &Path) {
        let statements = std::fs::read_to_string(file)
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        // The account of the server may not reach the file; its own folder it may.
        // Several tests may do this at once.
        let copy = self.folder.path().join(format!("{database}.sql"));
        std::fs::write(&copy, statements).expect("a file");
        self.own(&copy);
        let mut psql = self.command("psql");
        psql.args(["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1"])
            .arg("--host")
            .arg(self.folder.path())
            .args(["--port", &self.port.to_string()])
            .args(["--username", Self::USER, "--dbname", database])
            .arg("--file")
            .arg(&copy);
        output(&mut psql);
    }

    /// Starts it, again with its data if it ran before. False when it did not come up.
    pub fn run(&self) -> bool {
        let mut start = match &self.namespace {
            Some(namespace) => self.command_in(namespace, "pg_ctl"),
            None => self.command("pg_ctl"),
        };
        start
            .args(["start", "--wait", "--silent", "--timeout", "60", "--pgdata"])
            .arg(self.data())
            .arg("--log")
            .arg(self.log_file())
            .args([
                "--options",
                &format!("-p {} -k {}", self.port, self.folder.path().display()),
            ]);
        start.status().is_ok_and(|status| status.success())
    }

    /// Ends it without warning, as a crash does: connections are closed by the kernel.
    pub fn kill(&self) {
        self.stop("immediate");
    }

    /// Ends it as an administrator does: sessions are told (57P01), and transactions rolled back.
    pub fn shut_down(&self) {
        self.stop("fast");
    }

    /// What the server wrote.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// The process that the others of the server are children of.
    pub fn postmaster(&self) -> u32 {
        let file = std::fs::read_to_string(self.data().join("postmaster.pid")).expect("it runs");
        let id = file
            .lines()
            .next()
            .and_then(|line| line.trim().parse().ok());
        id.expect("the first line is the process id")
    }

    fn stop(&self, mode: &str) {
        let mut stop = self.command("pg_ctl");
        stop.args(["stop", "--wait", "--silent", "--mode", mode, "--pgdata"])
            .arg(self.data());
        // It may be stopped already.
        let _ = stop.output();
    }

    fn create(settings: &[(&str, &str)]) -> Self {
        let cluster = Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            account: Account::unprivileged(),
            port: free_port(),
            databases: AtomicU32::new(0),
            namespace: None,
        };
        cluster.own(cluster.folder.path());
        let password = cluster.folder.path().join("password");
        std::fs::write(&password, Self::PASSWORD).expect("a file");
        cluster.own(&password);
        let mut initdb = cluster.command("initdb");
        initdb
            .args([
                "--no-sync",
                "--no-instructions",
                "--encoding=UTF8",
                "--locale=C",
            ])
            .args(["--username", Self::USER, "--auth=trust"])
            .arg("--pwfile")
            .arg(&password)
            .arg("--pgdata")
            .arg(cluster.data());
        output(&mut initdb);
        std::fs::write(cluster.data().join("pg_hba.conf"), HBA).expect("a file");
        cluster.configure(&SETTINGS);
        cluster.configure(settings);
        cluster
    }

    /// Appends to the settings; the last of one name counts.
    fn configure(&self, settings: &[(&str, &str)]) {
        let file = self.data().join("postgresql.conf");
        let mut text = std::fs::read_to_string(&file).expect("initdb wrote it");
        for (name, value) in settings {
            writeln!(text, "{name} = '{value}'").expect("memory takes it");
        }
        std::fs::write(&file, text).expect("a file");
    }

    fn command(&self, name: &str) -> Command {
        let program = program::postgres(name);
        let mut command = match &self.account {
            Some(account) => account.command(&program),
            None => Command::new(program),
        };
        // The folder we run in may be closed to the server's account.
        command.current_dir(self.folder.path());
        command
    }

    fn command_in(&self, namespace: &Namespace, name: &str) -> Command {
        let mut command = namespace.enter();
        let program = program::postgres(name);
        let switch = self.account.as_ref();
        let switch = switch.map(|account| account.switch(&program));
        command.current_dir(self.folder.path());
        command.args(switch.iter().flatten()).arg(program);
        command
    }

    fn own(&self, path: &Path) {
        if let Some(account) = &self.account {
            account.own(path);
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs statements with psql on whatever the URL leads to; gives the rows, or what psql says of its failure.
pub fn psql(url: &str, statements: &str) -> Result<String, String> {
    let output = Command::new(program::postgres("psql"))
        .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
        .args(["--set", "ON_ERROR_STOP=1", "--command", statements, url])
        .env("PGCONNECT_TIMEOUT", "20")
        .output()
        .expect("psql runs");
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// The URL of a database as [`Postgres::USER`]; the password holds a character that URLs escape.
pub(crate) fn url(host: &str, port: u16, database: &str) -> String {
    let password = Postgres::PASSWORD.replace('\'', "%27");
    format!(
        "postgres://{}:{password}@{host}:{port}/{database}",
        Postgres::USER
    )
}
