//! Each refusal: what brings it about, and that it names the thing and says what to do.

use std::num::NonZeroU32;
use std::time::Duration;

use paceline_deploy::deployment::{
    Artifact, Database, DatabaseKind, Deployment, Entry, Provisioned, Proxy, Source, Variable,
};
use paceline_deploy::rules::{notes, refusals};

fn fine() -> Deployment {
    Deployment::new("shop", Database::new(DatabaseKind::Postgres))
}

/// Exactly one refusal, with all these parts.
fn check(change: impl FnOnce(&mut Deployment), parts: &[&str]) {
    let mut deployment = fine();
    change(&mut deployment);
    let found: Vec<String> = refusals(&deployment)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(found.len(), 1, "{parts:?}: {found:#?}");
    for part in parts {
        assert!(found[0].contains(part), "no {part:?} in {:?}", found[0]);
    }
}

/// Still nothing to refuse.
fn accept(change: impl FnOnce(&mut Deployment)) {
    let mut deployment = fine();
    change(&mut deployment);
    assert_eq!(refusals(&deployment), []);
}

fn count(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

fn secret(name: &str) -> Variable {
    Variable {
        name: name.to_owned(),
        source: Source::Secret,
    }
}

#[test]
fn the_defaults_are_accepted() {
    accept(|_| {});
}

#[test]
fn snap_start_and_provisioned_concurrency_exclude_each_other() {
    check(
        |d| {
            d.snap_start = true;
            d.artifact = Artifact::Image;
        },
        &[
            "SnapStart",
            "provisioned concurrency",
            "--snap-start",
            "--provisioned 0",
        ],
    );
    accept(|d| {
        d.snap_start = true;
        d.artifact = Artifact::Image;
        d.provisioned = None;
    });
}

#[test]
fn snap_start_of_a_zip_is_refused() {
    check(
        |d| {
            d.snap_start = true;
            d.provisioned = None;
        },
        &["zip", "provided.al2023", "--image"],
    );
}

#[test]
fn snap_start_without_an_alias_is_refused() {
    check(
        |d| {
            d.snap_start = true;
            d.artifact = Artifact::Image;
            d.provisioned = None;
            d.alias = None;
        },
        &["SnapStart", "--alias NAME"],
    );
}

#[test]
fn provisioned_concurrency_without_an_alias_is_refused() {
    check(
        |d| d.alias = None,
        &["$LATEST", "--alias NAME", "--provisioned 0"],
    );
    accept(|d| {
        d.alias = None;
        d.provisioned = None;
    });
}

#[test]
fn provisioned_concurrency_fits_its_bounds() {
    let provisioned = |usual, most| {
        Some(Provisioned {
            usual: count(usual),
            most: count(most),
        })
    };
    check(
        |d| d.provisioned = provisioned(9, 8),
        &["9, up to 8", "--provisioned-most"],
    );
    check(
        |d| d.provisioned = provisioned(9, 51),
        &["up to 51", "concurrency of 50", "--concurrency"],
    );
    accept(|d| d.provisioned = provisioned(50, 50));
}

#[test]
fn each_timeout_lies_inside_the_next() {
    let seconds = Duration::from_secs;
    let millis = Duration::from_millis;
    check(
        |d| d.times.statement = seconds(8),
        &[
            "the statement (8 s)",
            "together (8 s)",
            "--statement-timeout",
        ],
    );
    check(
        |d| d.times.query = millis(24_800),
        &[
            "together (27.8 s)",
            "the request (27.8 s)",
            "query_timeout",
            "--timeout",
        ],
    );
    check(
        |d| d.times.request = seconds(28),
        &["the request (28 s)", "the function (28 s)", "--margin"],
    );
    for (entry, limit) in [(Entry::Rest, 29), (Entry::Http, 30)] {
        check(
            |d| {
                d.entry = entry;
                d.times.function = seconds(limit);
            },
            &[
                "the function",
                "the gateway",
                &format!("({limit} s)"),
                "--timeout",
            ],
        );
        accept(|d| {
            d.entry = entry;
            d.times.function = seconds(limit - 1);
        });
    }
    accept(|d| d.times.function = seconds(900));
    accept(|d| {
        d.entry = Entry::Direct;
        d.times.function = seconds(900);
    });
}

#[test]
fn a_function_runs_for_whole_seconds_up_to_fifteen_minutes() {
    for time in [Duration::from_secs(901), Duration::from_millis(28_500)] {
        check(
            |d| d.times.function = time,
            &["whole seconds", "900", "--timeout"],
        );
    }
    let found = {
        let mut deployment = fine();
        deployment.times.function = Duration::ZERO;
        refusals(&deployment)
    };
    assert!(found[0].to_string().contains("from 1 to 900"), "{found:?}");
}

#[test]
fn connections_of_all_environments_fit_into_the_database() {
    check(
        |d| d.reserved = Some(count(98)),
        &[
            "98 environments",
            "98 connections",
            "97",
            "--concurrency",
            "--proxy",
            "--max-connections",
        ],
    );
    check(
        |d| d.database.pool = count(2),
        &[
            "50 environments with 2 connections each are 100",
            "size",
            "[pool]",
        ],
    );
    check(
        |d| d.reserved = None,
        &["nothing bounds", "--concurrency N", "--proxy"],
    );
    accept(|d| d.reserved = Some(count(97)));
    accept(|d| {
        d.reserved = None;
        d.vpc = true;
        d.proxy = Some(Proxy::default());
    });
    accept(|d| {
        d.database = Database::new(DatabaseKind::Http);
        d.reserved = None;
    });
}

#[test]
fn a_proxy_stands_in_a_vpc_before_a_server() {
    check(|d| d.proxy = Some(Proxy::default()), &["VPC", "--vpc"]);
    check(
        |d| {
            d.database = Database::new(DatabaseKind::Http);
            d.vpc = true;
            d.proxy = Some(Proxy::default());
        },
        &["over HTTP", "--proxy"],
    );
}

#[test]
fn waiting_for_a_connection_of_the_proxy_ends_before_the_query() {
    let borrow = |time: Duration| {
        move |d: &mut Deployment| {
            d.vpc = true;
            d.proxy = Some(Proxy {
                borrow: time,
                iam: false,
            });
        }
    };
    check(
        borrow(Duration::from_mins(2)),
        &[
            "proxy's connections (120 s)",
            "the query (5 s)",
            "--borrow-timeout",
        ],
    );
    for time in [Duration::ZERO, Duration::from_millis(2_500)] {
        check(borrow(time), &["whole seconds", "--borrow-timeout"]);
    }
}

#[test]
fn memory_is_what_lambda_has() {
    for memory in [0, 127, 10_241] {
        check(
            |d| d.memory = memory,
            &[&memory.to_string(), "128 to 10240"],
        );
    }
    accept(|d| d.memory = 128);
    accept(|d| d.memory = 10_240);
}

#[test]
fn schedules_and_days_are_those_that_aws_knows() {
    for seconds in [0, 59, 90] {
        check(
            |d| d.keep_warm = Some(Duration::from_secs(seconds)),
            &["whole minutes", "--keep-warm"],
        );
    }
    check(|d| d.log_days = 10, &["10 days", "7, 14, 30", "--log-days"]);
}

#[test]
fn names_are_those_that_aws_takes() {
    for name in ["", "7up", "a b", "shop\n", &"a".repeat(51)] {
        check(
            |d| name.clone_into(&mut d.name),
            &["name", "1 to 50 letters"],
        );
    }
    check(
        |d| d.alias = Some("my-alias".to_owned()),
        &["my-alias", "letters and digits"],
    );
    for name in ["AWS_REGION", "AWS_LAMBDA_X", "LAMBDA_TASK_ROOT", "_HANDLER"] {
        check(|d| d.variables.push(secret(name)), &[name, "platform"]);
    }
    check(
        |d| d.variables.push(secret("A")),
        &["\"A\"", "at least two"],
    );
    check(
        |d| {
            d.variables.push(Variable {
                name: "REGION".to_owned(),
                source: Source::Parameter("/a}}".to_owned()),
            });
        },
        &["REGION", "/a}}", "/shop/region"],
    );
}

#[test]
fn what_ends_with_an_environment_is_refused() {
    check(|d| d.uses.job_file = true, &["[jobs]", "Redis"]);
    check(
        |d| d.uses.memory_limits = vec!["api".to_owned()],
        &["\"api\"", "memory", "store = \"redis\""],
    );
    check(|d| d.uses.maildir = true, &["[email]", "smtps://"]);
    check(
        |d| d.database = Database::new(DatabaseKind::File { written: true }),
        &["SQLite", "read-only", "PostgreSQL or MySQL"],
    );
    accept(|d| d.database = Database::new(DatabaseKind::File { written: false }));
}

#[test]
fn what_would_do_nothing_is_refused() {
    check(
        |d| d.uses.workers = vec!["emails".to_owned()],
        &["[[workers]]", "\"emails\"", "paceline jobs work"],
    );
    check(|d| d.uses.sql = true, &["[sql]", "take the section out"]);
    check(
        |d| d.uses.local_hosts_only = true,
        &["allowed_hosts", "[\"*\"]"],
    );
}

#[test]
fn notes_tell_of_the_secret_of_mails_and_of_streams() {
    let mut deployment = fine();
    deployment.entry = Entry::Http;
    deployment.uses.mails = true;
    deployment.uses.live_stream = true;
    deployment.public = true;
    let found = notes(&deployment).join("\n");
    for part in [
        "shop/paceline",
        "PACELINE_SECRET",
        "Mails",
        "--entry url",
        "Everybody",
    ] {
        assert!(found.contains(part), "no {part:?} in {found}");
    }
}
