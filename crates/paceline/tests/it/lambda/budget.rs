use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{lambda, refused};
use crate::server::{Server, copy_of_the_shop};

fn recorded(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/tests/recorded");
    folder.join(name).display().to_string()
}

#[test]
fn a_server_is_driven_and_measured() {
    let shop = copy_of_the_shop();
    let server = Server::serve_url(&format!("sqlite:{}", shop.path().join("shop.db").display()));
    let here = tempfile::tempdir().unwrap();
    let drive = format!("{}/api/products?limit=5", server.base);
    let metrics = format!("{}/metrics", server.admin);
    let arguments = [
        "budget",
        "--drive",
        &drive,
        "--metrics",
        &metrics,
        "--requests",
        "60",
        "--clients",
        "2",
        "--rate",
        "40",
        "--json",
        "--svg",
        "plot.svg",
    ];
    let (code, out, err) = lambda(here.path(), &arguments);
    assert_eq!(code, 0, "{err}");
    let advice: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(advice["requests"], 60.0);
    assert_eq!(advice["cpu_measured"], true);
    assert!(advice["cpu_ms"].as_f64().unwrap() > 0.0);
    if cfg!(target_os = "linux") {
        assert!(advice["memory_mb"].as_f64().unwrap() > 1.0);
    }
    assert_eq!(advice["classes"].as_array().unwrap().len(), 5);
    assert!(advice["provisioned"]["environments"].as_u64().unwrap() >= 1);
    let svg = fs::read_to_string(here.path().join("plot.svg")).unwrap();
    assert!(svg.starts_with("<svg") && svg.contains("1769 MB"), "{svg}");
    let (code, out, err) = lambda(
        here.path(),
        &["budget", "--drive", &drive, "--requests", "5"],
    );
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("not measured: all of it"), "{out}");
    let missing = format!("{}/api/nothing", server.base);
    let (code, _, err) = lambda(here.path(), &["budget", "--drive", &missing]);
    assert_eq!(code, 1);
    assert!(
        err.contains("answers 404") && err.contains("--drive"),
        "{err}"
    );
}

#[test]
fn each_flag_refuses_what_it_does_not_know_by_name() {
    let here = tempfile::tempdir().unwrap();
    fs::write(here.path().join("page.txt"), "something 1\n").unwrap();
    let after = recorded("after.txt");
    let before = recorded("before.txt");
    for (arguments, part) in [
        (&[][..], "--metrics"),
        (&["--metrics", "missing.txt"], "missing.txt"),
        (&["--metrics", "page.txt"], "http_request_duration_seconds"),
        (&["--metrics", "https://h/metrics"], "speaks no TLS"),
        (&["--metrics", "ftp://h/metrics"], "--metrics"),
        (&["--before", &before], "--metrics"),
        (&["--metrics", &before, "--before", &after], "started anew"),
        (&["--drive", "h:80"], "--drive"),
        (
            &["--drive", "http://h/", "--metrics", "page.txt"],
            "give its address",
        ),
        (&["--drive", "http://h/", "--requests", "0"], "--requests"),
        (&["--metrics", &after, "--clients", "2"], "--drive"),
        (&["--metrics", &after, "--rate", "0"], "--rate"),
        (&["--metrics", &after, "--target", "soon"], "--target"),
        (&["--metrics", &after, "--vcpu-factor=-1"], "--vcpu-factor"),
        (
            &["--metrics", &after, "--price-gb-second", "free"],
            "--price-gb-second",
        ),
        (&["--metrics", &after, "--entry", "ftp"], "--entry"),
        (
            &["--metrics", &after, "--config", "missing.toml"],
            "missing.toml",
        ),
    ] {
        let line: Vec<&str> = std::iter::once("budget")
            .chain(arguments.iter().copied())
            .collect();
        refused(here.path(), &line, &[part]);
    }
}
