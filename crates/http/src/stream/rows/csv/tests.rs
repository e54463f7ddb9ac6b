//! Rows of every shape, as CSV.

use std::collections::BTreeMap;

use serde::Serialize;

use super::*;

#[track_caller]
fn written<T: Serialize>(rows: &[T], columns: Option<&[&str]>) -> Result<String, String> {
    let mut csv = Csv::default();
    if let Some(columns) = columns {
        csv.set_columns(columns.iter().map(|&name| name.into()).collect());
    }
    let mut out = Vec::new();
    csv.begin(&mut out);
    for row in rows {
        csv.row(row, &mut out).map_err(|error| error.to_string())?;
    }
    Ok(String::from_utf8(out).unwrap())
}

#[derive(Serialize)]
enum Kind {
    Plain,
    One(u8),
    Two(u8, u8),
    Named { a: u8 },
}

#[derive(Serialize)]
struct Author {
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'static str>,
}

#[derive(Serialize)]
struct Row {
    id: i64,
    title: &'static str,
    ok: bool,
    score: f64,
    author: Author,
    tags: Vec<&'static str>,
    nothing: Option<u8>,
    kind: Kind,
    labels: BTreeMap<u8, char>,
}

fn row(title: &'static str, score: f64, kind: Kind) -> Row {
    Row {
        id: -1,
        title,
        ok: true,
        score,
        author: Author {
            name: "Å",
            email: None,
        },
        tags: vec!["a", "b\""],
        nothing: None,
        kind,
        labels: [(1, 'x')].into(),
    }
}

#[test]
fn columns_are_the_fields_and_nested_values_are_dotted_or_json() {
    let rows = [
        row("=1+1", 0.1, Kind::Plain),
        row("a,\"b\"", f64::NAN, Kind::One(1)),
        row("", 12345.678, Kind::Two(1, 2)),
        row("\n", -0.5, Kind::Named { a: 1 }),
    ];
    let expected = "id,title,ok,score,author.name,tags,nothing,kind,labels.1\r\n\
        -1,'=1+1,true,0.1,Å,\"[\"\"a\"\",\"\"b\\\"\"\"\"]\",,Plain,x\r\n\
        -1,\"a,\"\"b\"\"\",true,,Å,\"[\"\"a\"\",\"\"b\\\"\"\"\"]\",,\"{\"\"One\"\":1}\",x\r\n\
        -1,\"\",true,12345.678,Å,\"[\"\"a\"\",\"\"b\\\"\"\"\"]\",,\"{\"\"Two\"\":[1,2]}\",x\r\n\
        -1,\"\n\",true,-0.5,Å,\"[\"\"a\"\",\"\"b\\\"\"\"\"]\",,\"{\"\"Named\"\":{\"\"a\"\":1}}\",x\r\n";
    assert_eq!(written(&rows, None).unwrap(), expected);
}

#[test]
fn rows_that_lack_a_column_leave_it_empty_and_none_is_lost() {
    let rows = |second| [BTreeMap::from([("a", Some(1)), ("b", Some(2))]), second];
    let lacking = rows(BTreeMap::from([("b", Some(3))]));
    assert_eq!(written(&lacking, None).unwrap(), "a,b\r\n1,2\r\n,3\r\n");
    let empty = rows(BTreeMap::from([("c", None)]));
    assert_eq!(written(&empty, None).unwrap(), "a,b\r\n1,2\r\n,\r\n");
    let more = rows(BTreeMap::from([("c", Some(3))]));
    assert!(written(&more, None).unwrap_err().contains("\"c\""));
    assert_eq!(
        written(&more, Some(&["c", "a"])).unwrap(),
        "c,a\r\n,1\r\n3,\r\n"
    );
}

#[test]
fn an_optional_struct_has_its_columns_when_they_are_given() {
    #[derive(Serialize)]
    struct Post {
        id: u8,
        author: Option<Author>,
    }
    let rows = [
        Post {
            id: 1,
            author: None,
        },
        Post {
            id: 2,
            author: Some(Author {
                name: "Ada",
                email: Some("a@b"),
            }),
        },
    ];
    let columns: &[&str] = &["id", "author.name", "author.email"];
    assert_eq!(
        written(&rows, Some(columns)).unwrap(),
        "id,author.name,author.email\r\n1,,\r\n2,Ada,a@b\r\n"
    );
    assert!(written(&rows, None).is_err());
}

#[test]
fn only_structs_and_maps_are_rows() {
    assert!(written(&[1], None).is_err());
    assert!(written(&[vec![1]], None).is_err());
    assert!(written(&[None::<Row>], None).is_err());
    assert_eq!(written::<Row>(&[], None).unwrap(), "");
    assert_eq!(written::<Row>(&[], Some(&["a", "b"])).unwrap(), "a,b\r\n");
}
