//! Neon's protocol over a PostgreSQL server, no more of it than our client uses, and with faults on demand. What the
//! protocol is, is judged elsewhere: `[sql]` of the binary, by the vendor's driver.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use paceline_data::postgres::text::{
    Part, TextDatabase, TextError, TextOptions, TextQuery, TextResult, Transaction,
};
use paceline_test_servers::Postgres;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// It is carried out, and its answer is lost.
    LostAnswer,
    /// It is carried out, and what stands in between says that it failed.
    LostBehind,
    /// The database is starting: nothing is carried out.
    Starting,
}

/// An endpoint for one database.
#[derive(Debug)]
pub(crate) struct Gateway {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    database: TextDatabase,
    faults: Mutex<VecDeque<Fault>>,
    bodies: Mutex<Vec<String>>,
}

impl Gateway {
    /// With a role that may do everything with the tables there are.
    pub(crate) async fn start(cluster: &Postgres, name: &str) -> Self {
        let role = format!("gateway_{name}");
        cluster.sql(
            name,
            &format!(
                "CREATE ROLE {role} LOGIN PASSWORD 'of-the-role'; GRANT ALL ON ALL TABLES IN SCHEMA public TO {role};
                 GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {role}"
            ),
        );
        let port = cluster.port();
        let url = format!("postgres://{role}:of-the-role@127.0.0.1:{port}/{name}");
        let database = TextDatabase::open(TextOptions::new(url.parse().unwrap()));
        let shared = Arc::new(Shared {
            database: database.await.unwrap(),
            faults: Mutex::default(),
            bodies: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let serving = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&serving)));
            }
        });
        Self { port, shared }
    }

    pub(crate) fn url(&self) -> String {
        format!("neon+http://app:hunter2@127.0.0.1:{}/main", self.port)
    }

    /// What goes wrong with the next requests, one after the other.
    pub(crate) fn fail(&self, faults: &[Fault]) {
        self.shared.faults.lock().unwrap().extend(faults);
    }

    /// The bodies of requests since this was last asked.
    pub(crate) fn bodies(&self) -> Vec<String> {
        std::mem::take(&mut *self.shared.bodies.lock().unwrap())
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>) -> Option<()> {
    let mut read = Vec::new();
    loop {
        let (head, length) = loop {
            if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&read[..end]).to_ascii_lowercase();
                let length = head.split("content-length: ").nth(1)?.lines().next()?;
                break (end + 4, length.parse::<usize>().ok()?);
            }
            if stream.read_buf(&mut read).await.ok()? == 0 {
                return None;
            }
        };
        while read.len() < head + length {
            if stream.read_buf(&mut read).await.ok()? == 0 {
                return None;
            }
        }
        let body: Vec<u8> = read.drain(..head + length).skip(head).collect();
        let body = String::from_utf8(body).ok()?;
        let asked = serde_json::from_str(&body).ok()?;
        shared.bodies.lock().unwrap().push(body);
        let fault = shared.faults.lock().unwrap().pop_front();
        let (status, answer) = match fault {
            Some(Fault::Starting) => {
                let told =
                    json!({"message": "the database system is starting up", "code": "57P03"});
                (400, told)
            }
            Some(Fault::LostAnswer) => {
                shared.answer(&asked).await;
                return None;
            }
            Some(Fault::LostBehind) => {
                shared.answer(&asked).await;
                (502, json!({"message": "no answer of the compute node"}))
            }
            None => shared.answer(&asked).await,
        };
        let answer = answer.to_string();
        let length = answer.len();
        let text = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n\r\n{answer}");
        stream.write_all(text.as_bytes()).await.ok()?;
    }
}

impl Shared {
    async fn answer(&self, asked: &Value) -> (u16, Value) {
        let answered = if let Some(queries) = asked["queries"].as_array() {
            let queries: Vec<TextQuery> = queries.iter().map(query).collect();
            let results = self.database.batch(&queries, Transaction::default(), false);
            let results = results.await;
            results.map(|all| json!({"results": all.iter().map(result).collect::<Vec<_>>()}))
        } else {
            let answered = self.database.run(&query(asked), false).await;
            answered.map(|one| result(&one))
        };
        match answered {
            Ok(answer) => (200, answer),
            Err(TextError::Refused(refusal)) => {
                let part = |part| refusal.part(part);
                let told = json!({
                    "message": part(Part::Message),
                    "code": part(Part::Code),
                    "table": part(Part::Table),
                    "column": part(Part::Column),
                    "constraint": part(Part::Constraint),
                });
                (400, told)
            }
            Err(error) => (500, json!({"message": error.to_string()})),
        }
    }
}

fn query(asked: &Value) -> TextQuery {
    let values = asked["params"].as_array().unwrap().iter();
    TextQuery {
        sql: asked["query"].as_str().unwrap().to_owned(),
        values: values
            .map(|value| value.as_str().map(str::to_owned))
            .collect(),
    }
}

fn result(result: &TextResult) -> Value {
    let fields = result.fields().iter();
    let fields = fields.map(|field| json!({"name": field.name, "dataTypeID": field.type_oid}));
    let text = |value: Option<&[u8]>| value.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap());
    let rows = result.rows();
    let rows = rows.map(|row| row.values().map(text).collect::<Vec<_>>());
    json!({
        "fields": fields.collect::<Vec<_>>(),
        "rows": rows.collect::<Vec<_>>(),
        "command": result.command(),
        "rowCount": result.row_count(),
        "rowAsArray": true,
    })
}
