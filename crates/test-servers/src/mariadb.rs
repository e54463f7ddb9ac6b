//! A private `MariaDB` server.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tempfile::TempDir;

use crate::account::Account;
use crate::certificates::Authority;
use crate::port::{free_port, listens};
use crate::program::{on_path, output};

/// Settings of every server: quick, and the same on every machine. A commit survives the end of the process, not of
/// the machine.
const SETTINGS: [&str; 10] = [
    "--bind-address=127.0.0.1",
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_general_ci",
    "--innodb-buffer-pool-size=32M",
    "--innodb-flush-log-at-trx-commit=2",
    "--innodb-log-file-size=16M",
    "--skip-log-bin",
    "--skip-name-resolve",
    "--performance-schema=OFF",
    "--default-time-zone=+00:00",
];

/// A running server. Its superuser is [`MariaDb::USER`], who needs [`MariaDb::PASSWORD`].
#[derive(Debug)]
pub struct MariaDb {
    folder: TempDir,
    account: Option<Account>,
    port: u16,
    settings: Vec<String>,
    server: Mutex<Option<Child>>,
    databases: AtomicU32,
}

impl MariaDb {
    /// The superuser.
    pub const USER: &str = "paceline";
    /// The superuser's password.
    pub const PASSWORD: &str = "a-test's-password";

    /// A server of the test's own.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with more settings, as on the command line (`--max-connections=10`).
    pub fn start_with(settings: &[&str]) -> Self {
        Self::create(settings, None)
    }

    /// The same with TLS: the certificate of `authority` is for `localhost`. Plain connections are taken too.
    pub fn start_with_tls(authority: &Authority) -> Self {
        Self::create(&[], Some(authority))
    }

    /// The one shared by the tests of this process that change nothing of its settings. Give each test a
    /// [`MariaDb::database`] of its own.
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<MariaDb>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = shared.upgrade() {
            return server;
        }
        let server = Arc::new(Self::start());
        *shared = Arc::downgrade(&server);
        server
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its socket in the file system.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    /// The URL of a database, as the superuser.
    pub fn url(&self, database: &str) -> String {
        self.url_as(Self::USER, Self::PASSWORD, database)
    }

    /// The URL of a database, as somebody else.
    pub fn url_as(&self, user: &str, password: &str, database: &str) -> String {
        let password = password.replace('\'', "%27");
        format!(
            "mysql://{user}:{password}@127.0.0.1:{}/{database}",
            self.port
        )
    }

    /// Makes a new empty database and gives its name.
    pub fn database(&self) -> String {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("mysql", &format!("CREATE DATABASE {name}"));
        name
    }

    /// Runs statements with the server's own client, over its socket; gives the rows, fields separated by tabs.
    pub fn sql(&self, database: &str, statements: &str) -> String {
        let mut client = self.client();
        client.arg(database).arg("--execute").arg(statements);
        output(&mut client).trim_end().to_owned()
    }

    /// Runs a file of statements.
    pub fn sql_file(&self, database: &str, file: &Path) {
        let statements =
            File::open(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let mut client = self.client();
        client.arg(database).stdin(statements);
        output(&mut client);
    }

    /// Starts it again with its data, after [`MariaDb::kill`].
    pub fn run(&self) -> bool {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log_file())
            .expect("a file");
        let mut start = self.command("mariadbd");
        start
            .arg("--no-defaults")
            .args(SETTINGS)
            .args(&self.settings)
            .arg(format!("--datadir={}", self.data().display()))
            .arg(format!("--tmpdir={}", self.temporary().display()))
            .arg(format!("--socket={}", self.socket().display()))
            .arg(format!("--port={}", self.port))
            .arg(format!(
                "--pid-file={}",
                self.folder.path().join("pid").display()
            ))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file"))
            .stderr(log);
        let mut child = start.spawn().expect("mariadbd starts");
        let up = listens(self.port, || {
            child.try_wait().is_ok_and(|ended| ended.is_some())
        });
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
        up
    }

    /// Ends it without warning, as a crash does: connections are closed by the kernel.
    pub fn kill(&self) {
        let server = self
            .server
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(mut server) = server {
            // It may have ended already.
            let _ = server.kill();
            let _ = server.wait();
        }
    }

    /// What the server wrote.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn create(settings: &[&str], authority: Option<&Authority>) -> Self {
        for _ in 0..10 {
            let server = Self::prepare(settings, authority);
            if server.run() {
                server.introduce();
                return server;
            }
            let log = server.log();
            assert!(log.contains("Address already in use"), "{log}");
        }
        panic!("mariadbd found no free port in ten attempts");
    }

    fn prepare(settings: &[&str], authority: Option<&Authority>) -> Self {
        let mut server = Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            account: Account::unprivileged(),
            port: free_port(),
            settings: settings.iter().map(|&one| one.to_owned()).collect(),
            server: Mutex::new(None),
            databases: AtomicU32::new(0),
        };
        server.own(server.folder.path());
        std::fs::create_dir(server.temporary()).expect("a folder");
        server.own(&server.temporary());
        if let Some(authority) = authority {
            let [certificate, key] = authority.copy_to(server.folder.path());
            server.own(&certificate);
            server.own(&key);
            server
                .settings
                .push(format!("--ssl-cert={}", certificate.display()));
            server.settings.push(format!("--ssl-key={}", key.display()));
        }
        let mut install = server.command("mariadb-install-db");
        install
            .args(["--no-defaults", "--auth-root-authentication-method=normal"])
            .args([
                "--skip-test-db",
                "--skip-name-resolve",
                "--innodb-log-file-size=16M",
            ])
            .arg(format!("--datadir={}", server.data().display()))
            .arg(format!("--tmpdir={}", server.temporary().display()));
        output(&mut install);
        server
    }

    /// Makes the superuser known.
    fn introduce(&self) {
        let password = Self::PASSWORD.replace('\'', "''");
        let user = Self::USER;
        self.sql(
            "mysql",
            &format!(
                "CREATE USER {user}@'%' IDENTIFIED BY '{password}'; GRANT ALL ON *.* TO {user}@'%' WITH GRANT OPTION"
            ),
        );
    }

    fn client(&self) -> Command {
        let mut client = self.command("mariadb");
        client
            .args([
                "--no-defaults",
                "--user=root",
                "--batch",
                "--skip-column-names",
            ])
            .arg("--default-character-set=utf8mb4")
            .arg(format!("--socket={}", self.socket().display()));
        client
    }

    fn command(&self, name: &str) -> Command {
        let program = on_path(name).unwrap_or_else(|| {
            panic!("these tests need {name} (Debian package mariadb-server); `cargo xtask test` installs it")
        });
        let mut command = Command::new(program);
        // The folder we run in may be closed to the server's account.
        command.current_dir(self.folder.path());
        if let Some(account) = &self.account {
            account.take_over(&mut command);
        }
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

    /// A server that starts removes what others left in its folder of temporary tables: each has its own.
    fn temporary(&self) -> PathBuf {
        self.folder.path().join("tmp")
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        self.kill();
    }
}
