//! AWS's emulator as managed instances have it: one process, several events at the same time.

use std::process::Command;

use crate::emulator::{Running, ask, free_port, function, get, installed};
use crate::function::NAME;

/// It starts `/var/task/bootstrap` only, so it runs where that exists for nobody else: on mounts of its own.
const SCRIPT: &str = "mount -t tmpfs none /var && mkdir /var/task /var/tmp && \
    printf '#!/bin/sh\\nexec \"%s\" --exact %s --nocapture\\n' \"$FUNCTION\" \"$NAME\" > /var/task/bootstrap && \
    chmod 755 /var/task/bootstrap && exec \"$@\"";

#[test]
fn trap_10_four_events_are_answered_at_the_same_time() {
    let (port, api) = (free_port(), free_port());
    let mut command = Command::new("unshare");
    command
        // Mounts need no administrator where accounts may be mapped.
        .args(if is_root() {
            &["--mount"][..]
        } else {
            &["--mount", "--map-root-user"]
        })
        .args(["--propagation", "private", "sh", "-c", SCRIPT, "sh"])
        .arg(installed("PACELINE_RIE"))
        .args([
            "--runtime-interface-emulator-address",
            &format!("127.0.0.1:{port}"),
        ])
        .args(["--runtime-api-address", &format!("127.0.0.1:{api}")])
        .env("FUNCTION", function())
        .env("NAME", NAME)
        .env("AWS_LAMBDA_MAX_CONCURRENCY", "4");
    let mut running = Running::start(&mut command);
    running.listens_on(port);
    // Each waits until four are there.
    let asking: Vec<_> = (0..4)
        .map(|_| std::thread::spawn(move || ask(port, &get("/together"))))
        .collect();
    for answer in asking {
        let answer = answer.join().expect("an answer");
        assert_eq!(answer["body"], "together", "{}", running.log());
    }
    assert_eq!(ask(port, &get("/panic"))["statusCode"], 500);
    assert_eq!(ask(port, &get("/"))["body"], "hello");
    assert!(
        !std::path::Path::new("/var/task/bootstrap").exists(),
        "it is left behind"
    );
}

fn is_root() -> bool {
    let id = Command::new("id")
        .arg("-u")
        .output()
        .expect("the account's number");
    id.stdout.starts_with(b"0\n")
}
