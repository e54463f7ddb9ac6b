//! Our layers pass every case.

#![expect(clippy::unwrap_used, reason = "in a test the panic is the message")]

use std::net::Ipv4Addr;
use std::sync::Arc;

use paceline_conformance::case::{behaviours, read_all};
use paceline_conformance::origin::{self, Preconditions, Script, serve};
use paceline_conformance::ours::{Memory, serve_ours};
use paceline_conformance::run::{Protocol, Target, Verdict, run};
use tokio::net::TcpListener;

async fn verdicts(
    preconditions: Preconditions,
    memory: Option<Memory>,
    (protocol, rounds): (Protocol, usize),
) -> Vec<Verdict> {
    let cases = read_all().unwrap();
    let script = Arc::new(Script::new(behaviours(&cases), preconditions).unwrap());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let target = Target {
        address: listener.local_addr().unwrap(),
        prefix: String::new(),
        protocol,
    };
    let server = match memory {
        Some(memory) => tokio::spawn(serve_ours(listener, script, memory)),
        None => tokio::spawn(serve(listener, origin::service(script))),
    };
    let mut verdicts = Vec::new();
    for _ in 0..rounds {
        verdicts.extend(run(&target, &cases).await);
    }
    server.abort();
    verdicts
}

async fn ours(memory: Memory, protocol: Protocol, rounds: usize) -> Vec<Verdict> {
    verdicts(Preconditions::Ignored, Some(memory), (protocol, rounds)).await
}

fn failures(verdicts: &[Verdict]) -> Vec<String> {
    let failed = verdicts
        .iter()
        .filter(|verdict| !verdict.differences.is_empty());
    failed
        .map(|verdict| format!("{}: {:?}", verdict.case, verdict.differences))
        .collect()
}

#[tokio::test]
async fn our_layers_pass_every_case() {
    let verdicts = ours(Memory::None, Protocol::Http1, 1).await;
    assert_eq!(failures(&verdicts), Vec::<String>::new());
    assert!(verdicts.len() > 100);
}

#[tokio::test]
async fn our_layers_pass_every_case_over_http2() {
    let verdicts = ours(Memory::None, Protocol::Http2, 1).await;
    assert_eq!(failures(&verdicts), Vec::<String>::new());
    assert!(verdicts.len() > 100);
}

#[tokio::test]
async fn kept_answers_pass_every_case_over_http2() {
    let verdicts = ours(Memory::Answers, Protocol::Http2, 2).await;
    assert_eq!(failures(&verdicts), Vec::<String>::new());
}

#[tokio::test]
async fn our_layers_pass_every_case_with_bodies_kept_first_and_again() {
    let verdicts = ours(Memory::Bodies, Protocol::Http1, 2).await;
    assert_eq!(failures(&verdicts), Vec::<String>::new());
}

#[tokio::test]
async fn our_layers_pass_every_case_with_bodies_kept_by_tag_first_and_again() {
    let verdicts = ours(Memory::Tagged, Protocol::Http1, 2).await;
    assert_eq!(failures(&verdicts), Vec::<String>::new());
}

#[tokio::test]
async fn kept_answers_pass_every_case_first_and_again() {
    let verdicts = ours(Memory::Answers, Protocol::Http1, 2).await;
    assert_eq!(failures(&verdicts), Vec::<String>::new());
}

#[tokio::test]
async fn the_bare_origin_is_right_about_conditions_and_wrong_about_codings() {
    let verdicts = verdicts(Preconditions::Judged, None, (Protocol::Http1, 1)).await;
    let of = |group: &str| {
        let chosen = verdicts
            .iter()
            .filter(|verdict| verdict.group == group)
            .cloned();
        failures(&chosen.collect::<Vec<_>>())
    };
    assert!(
        of("conditional")
            .iter()
            .all(|failure| failure.starts_with("body-hash")),
        "{:?}",
        of("conditional")
    );
    assert!(
        of("unsafe")
            .iter()
            .all(|failure| failure.starts_with("precondition-required")),
        "{:?}",
        of("unsafe")
    );
    assert!(!of("vary").is_empty() && !of("negotiation").is_empty());
}
