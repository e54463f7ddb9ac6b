//! A client that goes away over HTTP: its query is gone from the server within a second (trap 18 of streams).

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use paceline_test_servers::Postgres;

use crate::server::Server;

const SCHEMA: &str = "CREATE TABLE quick(id int PRIMARY KEY); INSERT INTO quick VALUES (1);
    CREATE VIEW slow AS SELECT pg_sleep(60)::text AS x;
    CREATE VIEW endless AS SELECT repeat('x', 1000) || generate_series(1, 100000000) AS x;";

struct Watched {
    cluster: Arc<Postgres>,
    name: String,
    server: Server,
}

impl Watched {
    fn start() -> Self {
        let cluster = Postgres::shared();
        let name = cluster.database();
        cluster.sql(&name, SCHEMA);
        let server = super::serve(&cluster, &name);
        Self {
            cluster,
            name,
            server,
        }
    }

    /// Sends a request and leaves the answer unread.
    fn ask(&self, path: &str) -> TcpStream {
        let address = self.server.base.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }

    /// Waits until so many statements over `view` run.
    #[track_caller]
    fn until_running(&self, view: &str, count: &str, most: Duration) {
        let count_them = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%\"{view}\"%' \
             AND datname = '{}'",
            self.name
        );
        let began = Instant::now();
        loop {
            let running = self.cluster.sql("postgres", &count_them);
            if running == count {
                return;
            }
            assert!(
                began.elapsed() < most,
                "{running} of {view} run, not {count}"
            );
        }
    }
}

#[test]
fn trap_18_the_query_of_a_client_who_left_is_gone_within_a_second() {
    let watched = Watched::start();
    let (start, gone) = (Duration::from_secs(10), Duration::from_secs(1));
    // Before the first row, of a page and of an export.
    for path in ["/api/slow?count=none", "/api/export/slow"] {
        let client = watched.ask(path);
        watched.until_running("slow", "1", start);
        drop(client);
        watched.until_running("slow", "0", gone);
    }
    // In the middle of the body.
    let mut client = watched.ask("/api/export/endless");
    client.read_exact(&mut vec![0; 100_000]).unwrap();
    watched.until_running("endless", "1", start);
    drop(client);
    watched.until_running("endless", "0", gone);
    // A client that reads nothing: the server's buffers fill, then it goes.
    let client = watched.ask("/api/export/endless");
    watched.until_running("endless", "1", start);
    drop(client);
    watched.until_running("endless", "0", gone);
    for _ in 0..20 {
        assert_eq!(
            watched.server.get("/api/quick/1").status,
            200,
            "no later query is cancelled"
        );
    }
}
