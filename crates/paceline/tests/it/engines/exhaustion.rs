//! More requests than connections: who cannot be served is told when there may be room.

use std::sync::Arc;
use std::time::{Duration, Instant};

use paceline_test_servers::Postgres;

use crate::server::Server;

#[test]
fn an_exhausted_pool_is_a_503_with_the_pools_own_estimate() {
    let cluster = Postgres::shared();
    let name = cluster.database();
    cluster.sql(
        &name,
        "CREATE VIEW slow AS SELECT 1 AS x, pg_sleep(0.4)::text AS slept",
    );
    let config = format!(
        "[database]\nurl = \"{}\"\nquery_timeout = \"2s\"\n[pool]\nsize = 1\n[resources.slow]\n",
        cluster.url(&name)
    );
    let server = Arc::new(Server::serve(&config, tempfile::tempdir().unwrap()));
    // Enough for the pool to know how long a connection is held.
    for _ in 0..10 {
        assert_eq!(server.get("/api/slow?count=none").status, 200);
    }
    let began = Instant::now();
    let asking: Vec<_> = (1..=20)
        .map(|limit| {
            let server = Arc::clone(&server);
            std::thread::spawn(move || {
                let answer = server.get(&format!("/api/slow?count=none&limit={limit}"));
                (answer, began.elapsed())
            })
        })
        .collect();
    let answers: Vec<_> = asking
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect();
    let (good, refused): (Vec<_>, Vec<_>) =
        answers.iter().partition(|(answer, _)| answer.status == 200);
    assert!(!good.is_empty() && refused.len() >= 10, "{}", refused.len());
    let mut estimated = 0;
    for (answer, after) in refused {
        let problem = answer.json();
        // A query that got the connection late may run out of time in the middle.
        if problem["code"] == "query-timeout" {
            continue;
        }
        answer.assert_problem(503, "unavailable");
        let wait: u64 = answer.header("retry-after").parse().unwrap();
        let detail = problem["detail"].as_str().unwrap();
        // Refused at once, for the wait would be longer than the two seconds a query may take.
        if *after < Duration::from_secs(1) {
            assert!((2..=30).contains(&wait), "{wait}: {detail}");
            assert!(
                detail.contains(&format!("in {wait} seconds")),
                "{wait}: {detail}"
            );
            estimated += 1;
        }
    }
    assert!(estimated >= 5, "{estimated}");
}
