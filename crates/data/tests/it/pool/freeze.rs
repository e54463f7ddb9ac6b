//! Trap 1: a process is frozen, its connection is killed, it thaws.

use std::time::Duration;

use paceline_test_servers::{PgBouncer, Postgres, Release};

use super::process::{Client, Role};

/// Until the server has no backend of that number any more.
fn kill_backend(cluster: &Postgres, backend: &str) {
    cluster.sql(
        "postgres",
        &format!("SELECT pg_terminate_backend({backend}, 10000)"),
    );
}

/// Freezes the client for `frozen`, kills its backend meanwhile, and has it ask again.
fn thaws_well(cluster: &Postgres, client: &mut Client, backend: &str, frozen: Duration) -> String {
    client.signal("-STOP");
    kill_backend(cluster, backend);
    // The length of the freeze is what this is about; nothing is waited for.
    std::thread::park_timeout(frozen);
    client.signal("-CONT");
    client.go_on();
    let answer = client.hears("answer");
    let micros: u64 = client.hears("micros").parse().unwrap();
    let (checks, attempts) = (
        client.hears("failed-checks"),
        client.hears("failed-attempts"),
    );
    println!("frozen {frozen:?}: first query after {micros} us, failed checks {checks}");
    assert!(answer.parse::<u32>().is_ok(), "{answer}");
    assert_ne!(answer, backend);
    assert_eq!(attempts, "0");
    // Generous: what is measured here goes into the report, and a hang is what must not be.
    assert!(micros < 2_000_000, "{micros} us");
    answer
}

#[test]
fn trap_01_the_first_query_after_a_freeze_succeeds_although_its_backend_was_killed() {
    let cluster = Postgres::shared();
    let mut client = Client::start(Role::Asks, &cluster.url(&cluster.database()));
    let mut backend = client.hears("backend");
    for millis in [0, 30, 1_500] {
        backend = thaws_well(
            &cluster,
            &mut client,
            &backend,
            Duration::from_millis(millis),
        );
    }
}

#[test]
fn trap_01_likewise_when_the_server_was_restarted() {
    let cluster = Postgres::start();
    let mut client = Client::start(Role::Asks, &cluster.url(&cluster.database()));
    client.hears("backend");
    for end in [Postgres::kill, Postgres::shut_down] {
        client.signal("-STOP");
        end(&cluster);
        assert!(cluster.run(), "{}", cluster.log());
        client.signal("-CONT");
        client.go_on();
        let answer = client.hears("answer");
        assert!(answer.parse::<u32>().is_ok(), "{answer}");
    }
}

#[test]
fn trap_01_likewise_when_a_pooler_was_restarted() {
    let cluster = Postgres::shared();
    let pooler = PgBouncer::start(Release::V1_18, &cluster);
    let mut client = Client::start(Role::Asks, &pooler.url(&cluster.database()));
    client.hears("backend");
    client.signal("-STOP");
    pooler.kill();
    assert!(pooler.run(), "{}", pooler.log());
    client.signal("-CONT");
    client.go_on();
    let answer = client.hears("answer");
    assert!(answer.parse::<u32>().is_ok(), "{answer}");
}
