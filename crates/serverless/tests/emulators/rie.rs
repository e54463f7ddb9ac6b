//! AWS's own runtime interface emulator.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::emulator::{
    Running, ask, free_port, function, get, holds_within, installed, invoke, terminate,
};
use crate::function::{CLOSED, NAME};

/// The emulator, with the function that it starts by the first event.
pub(crate) struct Rie {
    pub(crate) running: Running,
    pub(crate) port: u16,
}

impl Rie {
    pub(crate) fn start(variables: &[(&str, &str)]) -> Self {
        let (port, api) = (free_port(), free_port());
        let mut command = Command::new(installed("PACELINE_RIE"));
        command
            .args([
                "--runtime-interface-emulator-address",
                &format!("127.0.0.1:{port}"),
            ])
            .args(["--runtime-api-address", &format!("127.0.0.1:{api}")])
            .arg(function())
            .args(["--exact", NAME, "--nocapture"])
            .envs(variables.iter().copied());
        let mut running = Running::start(&mut command);
        running.listens_on(port);
        Self { running, port }
    }

    fn process(&self) -> u32 {
        let answer = ask(self.port, &get("/pid"));
        let id = answer["body"].as_str().and_then(|id| id.parse().ok());
        id.unwrap_or_else(|| panic!("no process: {answer}"))
    }
}

/// An event of a REST API and one of a load balancer, as they are documented.
fn others() -> [Value; 2] {
    [
        json!({
            "httpMethod": "GET", "path": "/x", "multiValueQueryStringParameters": {"a": ["1 2", "3"]},
            "multiValueHeaders": {"Host": ["rest.example"]}, "body": null, "isBase64Encoded": false,
            "requestContext": {"stage": "prod", "identity": {"sourceIp": "192.0.2.2"}}
        }),
        json!({
            "httpMethod": "GET", "path": "/x", "queryStringParameters": {"a": "1%202"},
            "headers": {"host": "lb.example", "x-forwarded-for": "192.0.2.3"}, "body": "", "isBase64Encoded": false,
            "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:r:1:targetgroup/x/1"}}
        }),
    ]
}

#[test]
fn the_first_event_starts_the_function_and_the_next_finds_it() {
    let mut rie = Rie::start(&[]);
    assert_eq!(ask(rie.port, &get("/"))["body"], "hello");
    assert_eq!(rie.process(), rie.process());
    let [rest, balancer] = others().map(|event| ask(rie.port, &event));
    let told = |answer: &Value| -> Value {
        serde_json::from_str(answer["body"].as_str().expect("text")).expect("JSON")
    };
    assert_eq!(told(&rest)["target"], "/x?a=1%202&a=3");
    assert_eq!(told(&rest)["host"], "rest.example");
    assert!(rest["multiValueHeaders"].is_object());
    assert_eq!(
        (&told(&balancer)["target"], &told(&balancer)["client"]),
        (&json!("/x?a=1%202"), &json!("192.0.2.3"))
    );
    assert_eq!(balancer["statusDescription"], "200 OK");
    let log = rie.running.log();
    assert!(log.contains("INIT RTDONE(status: success)"), "{log}");
    assert_eq!(log.matches("INIT START").count(), 1, "{log}");
}

#[test]
fn trap_09_a_panic_leaves_the_process() {
    let rie = Rie::start(&[]);
    let before = rie.process();
    assert_eq!(ask(rie.port, &get("/panic"))["statusCode"], 500);
    assert_eq!(rie.process(), before);
}

#[test]
fn a_slow_request_is_answered_before_the_emulator_ends_it() {
    let rie = Rie::start(&[("AWS_LAMBDA_FUNCTION_TIMEOUT", "2")]);
    let before = rie.process();
    let answer = ask(rie.port, &get("/slow"));
    assert_eq!(
        (&answer["statusCode"], &answer["headers"]["retry-after"]),
        (&json!(503), &json!("1"))
    );
    assert_eq!(rie.process(), before, "the environment goes on");
}

#[test]
fn trap_11_a_killed_function_starts_again_inside_the_next_invocation() {
    let mut rie = Rie::start(&[("AWS_LAMBDA_FUNCTION_TIMEOUT", "1")]);
    let before = rie.process();
    let said = invoke(rie.port, &get("/stuck"));
    assert!(said.contains("timed out"), "{said}");
    assert_ne!(rie.process(), before);
    let log = rie.running.log();
    assert!(
        log.contains("INIT START(type: on-demand, phase: invoke)"),
        "{log}"
    );
    assert_eq!(
        log.matches("INIT RTDONE(status: success)").count(),
        2,
        "{log}"
    );
}

#[test]
fn trap_11_sigterm_shuts_down_within_300_ms() {
    let folder = tempfile::tempdir().expect("a folder");
    let closed = folder.path().join("closed");
    let path = closed.to_str().expect("text").to_owned();
    // The platform's own way: it ends the function and tells it, because an extension is registered.
    let mut rie = Rie::start(&[(CLOSED, &path)]);
    let function = rie.process();
    let log = rie.running.log();
    assert!(log.contains("Internal agent paceline"), "{log}");
    let before = Instant::now();
    terminate(rie.running.id());
    let gone = || !std::path::Path::new(&format!("/proc/{function}")).exists();
    let is_closed = holds_within(Duration::from_millis(300), || closed.exists());
    assert!(
        is_closed,
        "after {:?}: {}",
        before.elapsed(),
        rie.running.log()
    );
    assert!(holds_within(Duration::from_secs(5), gone));
    let log = rie.running.log();
    assert!(!log.contains("SIGKILL"), "{log}");
}

#[test]
fn trap_08_events_that_are_no_requests_are_told_apart() {
    let rie = Rie::start(&[]);
    let warm = json!({"statusCode": 200, "body": "warm"});
    let schedule = |name: &str| {
        json!({
            "version": "0", "source": "aws.events", "detail-type": "Scheduled Event", "detail": {},
            "resources": [format!("arn:aws:events:eu-west-1:1:rule/{name}")]
        })
    };
    assert_eq!(ask(rie.port, &schedule("shop-keep-warm")), warm);
    let refused = ask(rie.port, &schedule("nightly"));
    assert_eq!(refused["errorType"], "Paceline.UnhandledEvent");
    let mut looks = get("/x");
    looks["requestContext"]["http"]["method"] = json!("POST");
    looks["body"] = json!("{\"source\":\"aws.events\"}");
    assert_eq!(ask(rie.port, &looks)["statusCode"], 200);
}
