use std::fs;
use std::path::Path;

use super::{lambda, refused};

const FINE: &str = "[server]\nallowed_hosts = [\"*\"]\n[database]\nurl = \"${DATABASE_URL}\"\n";

fn folder_with(config: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("paceline.toml"), config).unwrap();
    folder
}

#[test]
fn no_secret_of_the_configuration_lands_in_the_template() {
    let folder = folder_with(&format!(
        "{FINE}listen_url = \"postgres://app:in-the-file@db.example.com/shop\"\n[secrets]\nkey = \"a-passphrase-of-many-many-letters-here\"\n"
    ));
    let (code, out, err) = lambda(folder.path(), &["template"]);
    assert_eq!(code, 0, "{err}");
    for secret in ["hunter2", "in-the-file", "a-passphrase", "db.example.com"] {
        assert!(
            !out.contains(secret) && !err.contains(secret),
            "{secret}: {out}{err}"
        );
    }
    for reference in ["DATABASE_URL", "PACELINE_SECRET"] {
        let resolved = format!(
            "{reference}: !Sub \"{{{{resolve:secretsmanager:${{SecretName}}:SecretString:{reference}}}}}\""
        );
        assert!(out.contains(&resolved), "{resolved}: {out}");
    }
    assert!(
        err.contains("note: ") && err.contains("paceline/paceline"),
        "{err}"
    );
}

#[test]
fn bounds_of_the_configuration_are_those_of_the_template() {
    let folder = folder_with(&format!(
        "{FINE}query_timeout = \"4s\"\n[pool]\nsize = 2\nconnect_timeout = \"2s\"\n"
    ));
    let (code, out, err) = lambda(
        folder.path(),
        &[
            "template",
            "--vpc",
            "--proxy",
            "--ssm",
            "SHOP_REGION=/shop/region",
            "--name",
            "shop",
        ],
    );
    assert_eq!(code, 0, "{err}");
    for part in [
        "statement_timeout = 4000",
        "{{resolve:ssm:/shop/region}}",
        "FunctionName: shop",
    ] {
        assert!(out.contains(part), "no {part:?} in {out}");
    }
    refused(
        folder.path(),
        &["template"],
        &["50 environments with 2 connections", "--concurrency"],
    );
    refused(
        folder.path(),
        &["template", "--concurrency", "48", "--timeout", "6s"],
        &["(6 s)", "query_timeout", "--timeout"],
    );
}

#[test]
fn what_cannot_work_on_lambda_is_refused_all_at_once() {
    let folder = folder_with(
        "[database]\nurl = \"sqlite:a.db\"\n[resources.users]\nwrite = [\"update\"]\nanonymous_write = true\n[jobs]\nurl = \"sqlite:jobs.db\"\n\
         [[limits]]\nname = \"api\"\nmax = 5\nwindow = \"1m\"\n[[workers]]\nqueue = \"hooks\"\nhttp = \"https://example.com/\"\n",
    );
    let parts = [
        "SQLite file that is written",
        "[jobs]",
        "\"api\"",
        "\"hooks\"",
        "allowed_hosts",
    ];
    refused(folder.path(), &["template"], &parts);
}

#[test]
fn each_flag_refuses_what_it_does_not_know_by_name() {
    let folder = folder_with(FINE);
    for (arguments, part) in [
        (&["--memory", "64"][..], "64 MB"),
        (&["--memory", "much"], "--memory"),
        (&["--timeout", "28"], "--timeout"),
        (&["--timeout", "28500ms"], "--timeout"),
        (&["--margin", "0s"], "--margin"),
        (&["--entry", "ftp"], "--entry"),
        (&["--entry", "rest", "--timeout", "29s"], "gateway"),
        (&["--architecture", "mips"], "--architecture"),
        (&["--name", "my shop"], "my shop"),
        (&["--alias", "my-alias"], "my-alias"),
        (&["--no-alias"], "--provisioned 0"),
        (&["--provisioned", "60"], "--concurrency"),
        (
            &["--provisioned", "5", "--provisioned-most", "4"],
            "--provisioned-most",
        ),
        (&["--snap-start", "--image"], "SnapStart"),
        (&["--concurrency", "0"], "--concurrency"),
        (&["--concurrency", "500"], "--max-connections"),
        (&["--max-connections", "10"], "--max-connections"),
        (&["--keep-warm", "90s"], "--keep-warm"),
        (&["--keep-warm", "never"], "\"off\""),
        (&["--proxy"], "--vpc"),
        (&["--iam"], "--proxy"),
        (
            &["--vpc", "--proxy", "--borrow-timeout", "120s"],
            "--borrow-timeout",
        ),
        (&["--statement-timeout", "9s"], "--statement-timeout"),
        (&["--ssm", "REGION"], "SHOP_REGION=/shop/region"),
        (&["--log-days", "10"], "--log-days"),
        (&["--config", "nowhere.toml"], "nowhere.toml"),
    ] {
        let line: Vec<&str> = std::iter::once("template")
            .chain(arguments.iter().copied())
            .collect();
        refused(folder.path(), &line, &[part]);
    }
}

#[test]
fn a_variable_that_is_not_set_is_named() {
    let folder = folder_with("[database]\nurl = \"${NOT_SET_ANYWHERE}\"\n");
    refused(folder.path(), &["template"], &["NOT_SET_ANYWHERE"]);
}

#[test]
fn the_example_has_the_template_that_is_written_now() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/lambda");
    let kept = fs::read_to_string(example.join("template.yaml")).unwrap();
    let (code, out, err) = lambda(&example, &["template", "--name", "shop"]);
    assert_eq!(code, 0, "{err}");
    assert!(out == kept, "write examples/lambda/template.yaml anew");
}
