//! `paceline migrate install-idempotency` and `install-outbox`: shown, asked for, done once.

use std::process::Command;

use super::interactive_worlds;
use crate::server::BINARY;

const CONFIG: &str = "[resources.posts]\n[resources.members]\n[resources.notes]\n";

struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

fn migrate(verb: &str, url: &str, options: &[&str]) -> Said {
    let mut migrate = Command::new(BINARY);
    let done = migrate.args(["migrate", verb, url]).args(options).output();
    let done = done.unwrap();
    Said {
        code: done.status.code(),
        out: String::from_utf8(done.stdout).unwrap(),
        err: String::from_utf8(done.stderr).unwrap(),
    }
}

#[test]
fn tables_are_shown_asked_for_and_made_once() {
    for world in interactive_worlds(CONFIG) {
        let engine = world.engine;
        let file = format!("sqlite:{}", world.server.dir.join("app.db").display());
        let url = world.server_url().unwrap_or(file);
        for (verb, table) in [
            ("install-idempotency", "paceline_idempotency"),
            ("install-outbox", "paceline_outbox"),
        ] {
            let exists = || {
                let asked = if engine == "sqlite" {
                    "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = '{table}'"
                } else {
                    "SELECT count(*) FROM information_schema.tables WHERE table_name = '{table}' \
                     AND table_schema IN ('public', {own})"
                };
                let own = if engine == "mariadb" {
                    "DATABASE()"
                } else {
                    "''"
                };
                let asked = asked.replace("{table}", table).replace("{own}", own);
                world.sql(&asked) == "1"
            };
            let shown = migrate(verb, &url, &["--print"]);
            assert_eq!(shown.code, Some(0), "{engine}: {}", shown.err);
            let begin = format!("CREATE TABLE IF NOT EXISTS {table} (");
            assert!(shown.out.starts_with(&begin), "{engine}: {}", shown.out);
            assert!(!exists(), "{engine}: it was to be shown only");
            // Nobody can be asked here.
            let asked = migrate(verb, &url, &[]);
            assert_eq!(asked.code, Some(2), "{engine}: {}", asked.err);
            assert!(asked.err.contains("--yes"), "{engine}: {}", asked.err);
            assert!(!asked.err.contains("password"), "{engine}: {}", asked.err);
            assert!(!exists(), "{engine}: nobody agreed");
            let made = migrate(verb, &url, &["--yes"]);
            assert_eq!(made.code, Some(0), "{engine}: {}", made.err);
            assert!(made.out.contains(&shown.out), "{engine}: {}", made.out);
            assert!(exists(), "{engine}");
            let again = migrate(verb, &url, &[]);
            assert_eq!(again.code, Some(0), "{engine}: {}", again.err);
            assert!(again.out.contains("nothing to do"), "{}", again.out);
            // What was shown is what was made: it can be run by hand.
            world.run(&shown.out);
        }
    }
}

#[test]
fn what_cannot_have_the_tables_is_said() {
    for url in [
        "neon+https://u:secret@ep-a-1.eu-central-1.aws.neon.tech/x",
        "mysql://u:secret@127.0.0.1:0/x",
    ] {
        let refused = migrate("install-outbox", url, &["--print"]);
        assert_eq!(refused.code, Some(2), "{}", refused.err);
        assert!(!refused.err.contains("secret"), "{}", refused.err);
    }
}
