//! `paceline pool doctor` on real servers.

use std::process::Command;

use paceline_test_servers::{MariaDb, PgBouncer, Postgres, Release, free_port};
use serde_json::Value;

/// Exit code, standard output and standard error.
fn doctor(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_paceline"))
        .args(["pool", "doctor"])
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let told = (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    );
    for shown in [&told.1, &told.2] {
        assert!(
            !shown.contains("a-test") && !shown.contains("hunter2"),
            "{shown}"
        );
    }
    told
}

fn json(url: &str) -> Value {
    let (code, out, err) = doctor(&[url, "--json"]);
    assert_eq!(code, 0, "{out}{err}");
    serde_json::from_str(&out).unwrap()
}

#[test]
fn it_tells_the_server_and_each_pooler_apart_and_says_what_to_use() {
    let cluster = Postgres::shared();
    let database = cluster.database();
    let old = PgBouncer::start(Release::V1_18, &cluster);
    let new = PgBouncer::start(Release::V1_24, &cluster);
    for (url, name, mode, named) in [
        (cluster.url(&database), "none", "named", "work"),
        (old.url(&database), "pgbouncer-1.18", "unnamed", "fail"),
        (new.url(&database), "pgbouncer-1.24", "named", "work"),
    ] {
        let report = json(&url);
        let fields = ["endpoint", "statements", "named_statements"]
            .map(|field| report[field].as_str().unwrap());
        assert_eq!(fields, [name, mode, named], "{report:#}");
        assert_eq!(report["shared_sessions"], name != "none");
        assert_eq!(report["startup_options"], name == "none");
        assert_eq!(report["cancel"], true);
        assert_eq!(report["config"]["pool"]["pooler"], name);
        let (code, out, _) = doctor(&[&url]);
        assert_eq!(code, 0, "{out}");
        assert!(
            out.contains(&format!("\n[pool]\npooler = \"{name}\"\n")),
            "{out}"
        );
        assert!(out.lines().all(|line| !line.starts_with("wrong")), "{out}");
        // What it advises, it finds nothing wrong with.
        assert_eq!(doctor(&[&format!("{url}?pooler={name}")]).0, 0);
    }
}

#[test]
fn an_address_that_claims_too_much_is_to_be_mended() {
    let cluster = Postgres::shared();
    let pooler = PgBouncer::start(Release::V1_18, &cluster);
    let url = format!("{}?pooler=pgbouncer-1.24", pooler.url(&cluster.database()));
    let (code, out, err) = doctor(&[&url]);
    assert_eq!(code, 1, "{out}{err}");
    assert!(
        out.contains("\nwrong  the address leads to named statements"),
        "{out}"
    );
    assert!(
        err.contains("1 to be mended in postgres://paceline@127.0.0.1"),
        "{err}"
    );
}

#[test]
fn what_cannot_be_examined_is_said_without_the_password() {
    let nobody = format!("postgres://u:hunter2@127.0.0.1:{}/d", free_port());
    for (url, code, part) in [
        (&*nobody, 1, "cannot be reached"),
        (
            "postgres://u:hunter2@h:port/d",
            2,
            "the port is not a number",
        ),
        ("postgres://u:hun/ter2@h/d", 2, "write them as %2F"),
        (
            "postgres://u:hunter2@h/d?ca_file=/nowhere.pem",
            2,
            "/nowhere.pem cannot be read",
        ),
        ("mysql://u:hunter2@h", 2, "names no database"),
        (
            "mysql://u:hunter2@127.0.0.1:1/d",
            1,
            "127.0.0.1:1 cannot be reached",
        ),
        ("sqlite:shop.db", 2, "has no pool"),
        ("hunter", 2, "begins with postgres://"),
    ] {
        let (found, out, err) = doctor(&[url]);
        assert_eq!((found, &*out), (code, ""), "{url}: {err}");
        assert!(err.contains(part), "{url}: {err}");
    }
}

#[test]
fn it_says_what_a_mariadb_server_is_and_what_fits() {
    let server = MariaDb::shared();
    let url = server.url(&server.database());
    let report = json(&url);
    assert_eq!(report["pooler"], "none", "{report:#}");
    assert_eq!(report["statements"], "named");
    assert_eq!(report["kill"], true);
    assert!(
        report["server_version"]
            .as_str()
            .unwrap()
            .contains("MariaDB")
    );
    let (code, out, err) = doctor(&[&url]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("\n[pool]\npooler = \"none\"\n"), "{out}");
    assert!(
        out.lines()
            .all(|line| !line.starts_with("wrong") && !line.starts_with("risk")),
        "{out}"
    );
}
