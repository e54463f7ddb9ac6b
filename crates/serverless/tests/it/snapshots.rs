//! What is done around a snapshot.

use std::future::Future;
use std::pin::Pin;

use axum::Router;
use axum::routing::get;
use paceline_serverless::{BoxError, RunError, Serverless, SnapStart};

use crate::double::{self, Double};
use crate::{Notes, start};

const SNAP_START: &[(&str, &str)] = &[("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")];

struct Resource {
    name: &'static str,
    notes: Notes,
    fails: Option<&'static str>,
}

type Done<'a> = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send + 'a>>;

impl Resource {
    fn note(&self, what: &'static str) -> Result<(), BoxError> {
        self.notes.add(&format!("{what} {}", self.name));
        if self.fails == Some(what) {
            return Err("no".into());
        }
        Ok(())
    }
}

impl SnapStart for Resource {
    fn before_snapshot(&self) -> Done<'_> {
        Box::pin(async { self.note("before") })
    }

    fn after_restore(&self) -> Done<'_> {
        Box::pin(async { self.note("after") })
    }
}

fn serverless(notes: &Notes, fails: Option<&'static str>) -> Serverless<Router> {
    let asked = notes.clone();
    let router = Router::new().route("/", get(move || async move { asked.add("request") }));
    let resource = |name, fails| Resource {
        name,
        notes: notes.clone(),
        fails,
    };
    Serverless::new(router)
        .snap_start(resource("pool", None))
        .snap_start(resource("cache", fails))
}

#[tokio::test]
async fn what_was_opened_last_is_closed_first_and_opened_last_again() {
    let mut double = Double::start().await;
    let notes = Notes::default();
    start(&double, serverless(&notes, None), SNAP_START);
    double.give("r-1", double::get("/"), &[]);
    double.restore();
    double.report().await;
    let order = [
        "before cache",
        "before pool",
        "after pool",
        "after cache",
        "request",
    ];
    assert_eq!(notes.all(), order);
}

#[tokio::test]
async fn elsewhere_nothing_is_done() {
    let mut double = Double::start().await;
    let notes = Notes::default();
    start(&double, serverless(&notes, Some("before")), &[]);
    double.ask("r-1", double::get("/")).await;
    assert_eq!(notes.all(), ["request"]);
}

#[tokio::test]
async fn a_failure_is_reported_and_ends_the_process() {
    for (fails, path) in [("before", "/init/error"), ("after", "/restore/error")] {
        let mut double = Double::start().await;
        let notes = Notes::default();
        let run = start(&double, serverless(&notes, Some(fails)), SNAP_START);
        double.restore();
        let report = double.report().await;
        assert!(report.path.ends_with(path), "{report:?}");
        assert!(
            report.json()["errorMessage"]
                .as_str()
                .is_some_and(|m| m.ends_with(": no"))
        );
        let ended = run.await.expect("no panic");
        assert!(matches!(ended, Err(RunError::SnapStart(_))), "{ended:?}");
        assert!(!notes.all().contains(&"request".to_owned()));
    }
}
