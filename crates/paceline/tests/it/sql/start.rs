//! What is refused at the start, and that nothing secret is told.

use std::process::Command;

use paceline_test_servers::{PgBouncer, Postgres, Release, free_port};

use super::{PASSWORD, TOKEN, config, role};
use crate::server::BINARY;

/// What `paceline check` says of a configuration, and its status.
fn check(config: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("paceline.toml");
    std::fs::write(&file, config).unwrap();
    let mut check = Command::new(BINARY);
    check.arg("check").arg("--config").arg(&file);
    let output = check.env_remove("PACELINE_SECRET").output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(!text.contains(PASSWORD), "{text}");
    assert!(!text.contains(TOKEN), "{text}");
    assert!(!text.contains("of-the-role"), "{text}");
    (output.status.code(), text)
}

#[test]
fn roles_that_reach_beyond_the_database_are_refused() {
    let cluster = Postgres::shared();
    let database = cluster.database();
    let role = role(&cluster, &database);
    let fine = config(&cluster, &database, &role, free_port(), "");
    let (code, told) = check(&fine);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("statements over HTTP on 127.0.0.1"), "{told}");
    // The superuser itself, and a role that may become one that runs programs.
    let own = format!("{role}:of-the-role@");
    let superuser = format!(
        "{}:{}@",
        Postgres::USER,
        Postgres::PASSWORD.replace('\'', "%27")
    );
    let (code, told) = check(&fine.replace(&own, &superuser));
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("no superuser"), "{told}");
    cluster.sql(
        &database,
        &format!("GRANT pg_execute_server_program TO {role}"),
    );
    let (code, told) = check(&fine);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("pg_execute_server_program"), "{told}");
}

#[test]
fn a_pooler_in_between_is_refused() {
    let cluster = Postgres::shared();
    let database = cluster.database();
    let role = role(&cluster, &database);
    let pooler = PgBouncer::start(Release::V1_18, &cluster);
    let text = config(&cluster, &database, &role, free_port(), "");
    let direct = format!("{role}:of-the-role@127.0.0.1:{}/{database}", cluster.port());
    // The pooler knows the superuser only; that something is in between is told first.
    let through = pooler.url(&database);
    let (code, told) = check(&text.replace(&direct, through.strip_prefix("postgres://").unwrap()));
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("the server itself"), "{told}");
}

#[test]
fn mistakes_in_the_section_are_told_without_its_secrets() {
    let with = |lines: &str| {
        let config = format!(
            "[database]\nurl = \"sqlite:x.db\"\n[sql]\nurl = \"postgres://r:of-the-role@h/d\"\n{lines}"
        );
        let (code, told) = check(&config);
        assert_eq!(code, Some(2), "{told}");
        told
    };
    for (lines, part) in [
        ("", "`user` and `password`, or a `token`"),
        ("user = \"app\"\n", "needs a `password`"),
        ("password = \"hunter2\"\n", "needs a `user`"),
        ("token = \"hunter2\"\n", "at least 16 characters"),
        (
            "token = \"a-token-of-the-tests\"\nlisten = \"127.0.0.1:8080\"\n",
            "an address of its own",
        ),
        (
            "token = \"a-token-of-the-tests\"\nallowed_origins = [\"app\"]\n",
            "https://app.example.com",
        ),
        (
            "token = \"a-token-of-the-tests\"\nmax_rows = 0\n",
            "max_rows",
        ),
    ] {
        let told = with(lines);
        assert!(told.contains(part), "{lines}: {told}");
    }
}

#[test]
fn addresses_that_others_reach_have_to_be_meant() {
    let cluster = Postgres::shared();
    let database = cluster.database();
    let role = role(&cluster, &database);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("paceline.toml");
    let config =
        config(&cluster, &database, &role, 8082, "").replace("127.0.0.1:8082", "0.0.0.0:0");
    std::fs::write(&file, config).unwrap();
    let mut serve = Command::new(BINARY);
    serve.args([
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--admin-listen",
        "off",
        "--config",
    ]);
    let output = serve.arg(&file).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(
        told.contains("unencrypted") && told.contains("--public"),
        "{told}"
    );
}
