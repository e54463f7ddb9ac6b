//! Exchanges with a server that says what the test lets it say.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

use super::exchange::Wire;
use super::failure::Failure;
use super::input::Input;
use crate::cell::{Cell, Row as _};
use crate::postgres::connect::StatementMode;
use crate::server::Stopped as _;
use crate::statement::{Statement, Value};

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("small").to_be_bytes();
    [&[kind][..], &length, body].concat()
}

/// A column of type `int8`.
fn description() -> Vec<u8> {
    let rest = [&[0; 6][..], &20_u32.to_be_bytes(), &[0; 8]].concat();
    message(b'T', &[&[0, 1][..], b"id\0", &rest].concat())
}

fn row(id: i64) -> Vec<u8> {
    message(b'D', &[&[0, 1, 0, 0, 0, 8][..], &id.to_be_bytes()].concat())
}

fn refusal(code: &str, text: &str) -> Vec<u8> {
    let fields = format!("SERROR\0C{code}\0M{text}\0\0");
    message(b'E', fields.as_bytes())
}

fn ready() -> Vec<u8> {
    message(b'Z', b"I")
}

/// What the server answers to a statement that is new to it, with these rows.
fn whole(ids: &[i64]) -> Vec<u8> {
    let begun = [message(b'1', b""), message(b't', &[0, 0]), description()].concat();
    [begun, message(b'2', b""), rows(ids)].concat()
}

fn rows(ids: &[i64]) -> Vec<u8> {
    let rows: Vec<u8> = ids.iter().flat_map(|id| row(*id)).collect();
    [rows, message(b'C', b"SELECT\0"), ready()].concat()
}

async fn answered(server: &mut DuplexStream, answers: &[Vec<u8>]) {
    server
        .write_all(&answers.concat())
        .await
        .expect("there is room");
}

/// The ids of a statement's rows.
async fn ids(wire: &mut Wire<DuplexStream>, mode: StatementMode) -> Result<Vec<i64>, Failure> {
    let statement = Statement {
        sql: "SELECT id".into(),
        values: vec![Value::Integer(1)],
    };
    let mut ids = Vec::new();
    let mut found = wire.ask(&statement, mode).await?;
    while let Some(row) = found.next().await? {
        match row.cell(0) {
            Cell::Integer(id) => ids.push(id),
            other => panic!("{other:?}"),
        }
    }
    Ok(ids)
}

/// The kinds of the messages that were sent.
async fn sent(server: &mut DuplexStream) -> String {
    let (mut kinds, mut input) = (String::new(), Input::default());
    while !kinds.ends_with('S') {
        match input.kind().expect("well formed") {
            Some(kind) => {
                kinds.push(char::from(kind));
                input.skip();
            }
            None => input.fill(server).await.expect("more is sent"),
        }
    }
    kinds
}

#[tokio::test]
async fn a_named_statement_is_prepared_once_and_an_unnamed_one_each_time() {
    for (mode, again) in [
        (StatementMode::Named, "BES"),
        (StatementMode::Unnamed, "PDBES"),
    ] {
        let (client, mut server) = duplex(4096);
        let mut wire = Wire::new(client);
        answered(&mut server, &[whole(&[5, 6])]).await;
        assert_eq!(ids(&mut wire, mode).await.expect("rows"), [5, 6]);
        assert_eq!(sent(&mut server).await, "PDBES");
        let second = match mode {
            StatementMode::Named => [message(b'2', b""), rows(&[7])].concat(),
            StatementMode::Unnamed => whole(&[7]),
        };
        answered(&mut server, &[message(b'N', b"\0"), second]).await;
        assert_eq!(ids(&mut wire, mode).await.expect("rows"), [7]);
        assert_eq!(sent(&mut server).await, again, "{mode:?}");
        assert!(!wire.is_busy());
    }
}

#[tokio::test]
async fn a_refusal_leaves_the_connection_ready_and_closes_the_name() {
    let (client, mut server) = duplex(4096);
    let mut wire = Wire::new(client);
    let refused = [
        message(b'1', b""),
        refusal("22003", "out of range"),
        ready(),
    ];
    answered(&mut server, &refused).await;
    let failure = ids(&mut wire, StatementMode::Named).await.unwrap_err();
    assert!(failure.is_over() && failure.meaning().is_value());
    assert!(!wire.is_busy());
    assert_eq!(sent(&mut server).await, "PDBES");
    answered(&mut server, &[message(b'3', b""), whole(&[])]).await;
    assert!(
        ids(&mut wire, StatementMode::Named)
            .await
            .expect("rows")
            .is_empty()
    );
    assert_eq!(sent(&mut server).await, "CPDBES");
}

#[tokio::test]
async fn a_statement_that_the_server_forgot_is_prepared_again() {
    let (client, mut server) = duplex(4096);
    let mut wire = Wire::new(client);
    answered(&mut server, &[whole(&[1])]).await;
    ids(&mut wire, StatementMode::Named).await.expect("rows");
    let stale = refusal("0A000", "cached plan must not change result type");
    answered(
        &mut server,
        &[stale, ready(), message(b'3', b""), whole(&[2])],
    )
    .await;
    assert_eq!(
        ids(&mut wire, StatementMode::Named).await.expect("rows"),
        [2]
    );
}

#[tokio::test]
async fn what_was_left_in_the_middle_is_not_used_again() {
    for answer in [
        // Ended by the server, which says no more.
        [refusal("57P01", "terminating"), Vec::new()],
        // A part of another message.
        [whole(&[1]), b"N\0\0".to_vec()],
        // Something nobody asked for.
        [message(b'G', &[0; 3]), ready()],
    ] {
        let (client, mut server) = duplex(4096);
        let mut wire = Wire::new(client);
        answered(&mut server, &answer).await;
        server.shutdown().await.expect("open");
        let outcome = ids(&mut wire, StatementMode::Named).await;
        assert!(wire.is_busy(), "{outcome:?}");
        wire.leave();
        drop(wire);
        let mut all = Vec::new();
        server.read_to_end(&mut all).await.expect("read");
        assert!(all.ends_with(b"S\0\0\0\x04"), "nothing more is said");
    }
}

#[tokio::test]
async fn rows_that_are_not_taken_keep_it_busy() {
    let (client, mut server) = duplex(4096);
    let mut wire = Wire::new(client);
    answered(&mut server, &[whole(&[1, 2])]).await;
    let statement = Statement {
        sql: "SELECT id".into(),
        values: Vec::new(),
    };
    let mut found = wire
        .ask(&statement, StatementMode::Named)
        .await
        .expect("rows");
    assert!(found.next().await.expect("a row").is_some());
    assert!(wire.is_busy());
}

#[tokio::test]
async fn a_check_is_a_round_trip_and_leave_is_taken() {
    let (client, mut server) = duplex(4096);
    let mut wire = Wire::new(client);
    answered(&mut server, &[message(b'S', b"a\0b\0"), ready()]).await;
    wire.check().await.expect("it answers");
    wire.leave();
    drop(wire);
    let mut all = Vec::new();
    server.read_to_end(&mut all).await.expect("read");
    assert_eq!(all, b"S\0\0\0\x04X\0\0\0\x04");
}
