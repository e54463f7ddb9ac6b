//! What is told when there is no result, and what is sent again.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use paceline_data::planetscale::{ClientOptions, PlanetScaleClient, PlanetScaleError, Repeat};
use paceline_test_servers::{Fault, PlanetScale};

use super::{client, client_with, double, soon, values};

/// A client whose session is there already.
async fn ready(double: &PlanetScale) -> PlanetScaleClient {
    let client = client(double);
    drop(client.session(soon()).await.unwrap());
    client
}

/// The error and all its causes, as a log has them.
fn told(error: &PlanetScaleError) -> String {
    let mut told = format!("{error:?} {error}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let _ = write!(told, ": {error}");
        cause = error.source();
    }
    assert!(!told.contains(PlanetScale::PASSWORD), "{told}");
    told
}

fn asked(double: &PlanetScale, query: &str) -> usize {
    let asked = double.asked().into_iter();
    asked.filter(|asked| asked.query == query).count()
}

#[tokio::test]
async fn reads_are_sent_again_and_writes_are_not() {
    let double = double();
    double.sql("CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY)");
    for fault in [Fault::LostBefore, Fault::LostAfter] {
        let client = ready(&double).await;
        double.fault(fault.clone());
        let rows = client.execute("SELECT 1", Repeat::Allowed, soon()).await;
        assert_eq!(values(&rows.unwrap()).len(), 1, "{fault:?}");
        double.fault(fault.clone());
        let insert = "INSERT INTO t VALUES ()";
        let error = client.execute(insert, Repeat::Never, soon()).await;
        let error = error.unwrap_err();
        assert!(
            error.may_have_happened() && error.is_unavailable(),
            "{error:?}"
        );
        assert!(
            told(&error).contains("may have been carried out"),
            "{error:?}"
        );
    }
    assert_eq!(asked(&double, "INSERT INTO t VALUES ()"), 1);
    assert_eq!(double.sql("SELECT count(*) FROM t"), "1");
}

#[tokio::test]
async fn statuses_are_told_apart() {
    let double = double();
    let client = ready(&double).await;
    let body = r#"{"error":{"code":"x","message":"the vendor's words\n"}}"#;
    let fail = async |status: u16, body: &str| {
        double.fault(Fault::Status(status, body.to_owned()));
        let error = client.execute("SELECT 1", Repeat::Never, soon()).await;
        error.unwrap_err()
    };
    let error = fail(401, body).await;
    assert!(
        error.is_unauthorized() && !error.may_have_happened(),
        "{error:?}"
    );
    let error = fail(429, body).await;
    assert!(error.is_throttled() && !error.is_unavailable(), "{error:?}");
    for status in [500, 502, 503, 504] {
        let error = fail(status, body).await;
        assert!(
            error.is_unavailable() && error.may_have_happened(),
            "{error:?}"
        );
        assert!(told(&error).contains("the vendor's words"), "{error}");
    }
    let error = fail(503, "<html>a proxy's page</html>").await;
    assert!(error.to_string().contains("503"), "{error}");
    let error = fail(400, r#"{"code":"invalid_argument","message":"no"}"#).await;
    assert!(
        !error.is_unavailable() && error.to_string().ends_with("no"),
        "{error}"
    );
    assert_eq!(client.statistics().failures, 8);
}

#[tokio::test]
async fn a_wrong_password_is_told_without_showing_it() {
    let double = double();
    let address = double.address().replace(PlanetScale::PASSWORD, "hunter2");
    let client =
        PlanetScaleClient::new(address.parse().unwrap(), ClientOptions::default()).unwrap();
    let error = client.execute("SELECT 1", Repeat::Allowed, soon()).await;
    let error = error.unwrap_err();
    assert!(error.is_unauthorized(), "{error:?}");
    let shown = format!("{} {client:?} {:?}", told(&error), client.address());
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn waiting_ends_at_the_deadline() {
    let double = double();
    let client = ready(&double).await;
    double.fault(Fault::Silence);
    let began = Instant::now();
    let until = began + Duration::from_millis(300);
    let error = client.execute("SELECT 1", Repeat::Allowed, until).await;
    let error = error.unwrap_err();
    assert!(error.is_late() && error.may_have_happened(), "{error:?}");
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(
        client.statistics().kept_sessions,
        0,
        "its session is given up"
    );
}

#[tokio::test]
async fn answers_that_are_cut_off_or_no_json_are_told() {
    let double = double();
    let client = ready(&double).await;
    for fault in [Fault::Cut, Fault::Status(200, "<html>".to_owned())] {
        double.fault(fault);
        let error = client.execute("SELECT 'x'", Repeat::Allowed, soon()).await;
        let error = error.unwrap_err();
        assert!(told(&error).contains("cannot be read"), "{error:?}");
        assert!(error.may_have_happened());
    }
}

#[tokio::test]
async fn limits_of_rows_and_bytes_are_told() {
    let double = double();
    let client = client_with(
        &double,
        ClientOptions {
            max_answer: 20_000,
            ..ClientOptions::default()
        },
    );
    let sql = "SELECT REPEAT('x', 30000)";
    let error = client
        .execute(sql, Repeat::Allowed, soon())
        .await
        .unwrap_err();
    assert!(
        error.is_too_large() && error.refusal().is_none(),
        "{error:?}"
    );
    let sql = "SELECT seq FROM seq_1_to_100001";
    let error = client
        .execute(sql, Repeat::Allowed, soon())
        .await
        .unwrap_err();
    assert!(
        error.is_too_large() && error.refusal().is_some(),
        "{error:?}"
    );
    assert!(error.to_string().contains("100,000"), "{error}");
}

#[tokio::test]
async fn refusals_have_their_numbers_and_hide_the_statement() {
    let double = double();
    let client = ready(&double).await;
    let sql = "SELECT secret FROM nowhere WHERE a = 'hunter2'";
    let error = client.execute(sql, Repeat::Allowed, soon()).await;
    let error = error.unwrap_err();
    let refusal = error.refusal().unwrap();
    assert_eq!((refusal.number(), refusal.code()), (Some(1146), "NotFound"));
    assert!(!told(&error).contains("hunter2"), "{error:?}");
    assert!(!error.may_have_happened());
    assert_eq!(client.statistics().kept_sessions, 1, "the session goes on");
}

#[tokio::test]
async fn who_leaves_stops_the_statement() {
    let double = double();
    let client = ready(&double).await;
    let mut session = client.session(soon()).await.unwrap();
    let sleeping = || {
        let sql = "SELECT count(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT SLEEP(59%'";
        double.sql(sql) == "1"
    };
    let asking = session.execute("SELECT SLEEP(59)", Repeat::Allowed, soon());
    let mut asking = Box::pin(asking);
    let began = Instant::now();
    while !sleeping() {
        assert!(
            began.elapsed() < Duration::from_secs(15),
            "it does not begin"
        );
        let moment = tokio::time::timeout(Duration::from_millis(20), &mut asking).await;
        assert!(moment.is_err(), "it sleeps");
    }
    drop(asking);
    let began = Instant::now();
    while sleeping() {
        assert!(began.elapsed() < Duration::from_secs(15), "it goes on");
        tokio::time::timeout(Duration::from_millis(20), std::future::pending::<()>())
            .await
            .unwrap_err();
    }
    drop(session);
    assert_eq!(
        client.statistics().kept_sessions,
        0,
        "its session is given up"
    );
}
