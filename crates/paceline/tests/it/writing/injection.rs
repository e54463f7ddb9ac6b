//! Whatever stands in a parameter, a header, a path or a body is a value: it never becomes SQL.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use paceline_test_servers::Postgres;

use super::{World, interactive_worlds, on_postgres, over_http_on};
use crate::client::Answer;

const CONFIG: &str = r#"
[resources.posts]
type = "post"
relations = { author = "member_id" }
hidden = ["secret_plan"]
write = ["create", "update", "replace", "delete"]
anonymous_write = true

[resources.members]

[resources.notes]
type = "note"
write = ["create", "update"]
anonymous_write = true
"#;

/// What people try: ends of strings and statements, comments, what sleeps, what reads the schema, what an encoding may
/// turn into a quote, what overflows a number.
const CORPUS: [&str; 46] = [
    "'",
    "''",
    "\"",
    "`",
    "\\",
    "\\'",
    "';",
    "--",
    "/*",
    "*/",
    "#",
    "' OR '1'='1",
    "' OR 1=1--",
    "\" OR \"\"=\"",
    "1 OR 1=1",
    "1) OR (1=1",
    "') OR ('1'='1'/*",
    "'; DROP TABLE posts; --",
    "1; DELETE FROM posts",
    "'; UPDATE posts SET title = 'owned'; --",
    "' UNION SELECT secret_plan FROM posts--",
    "1 UNION ALL SELECT NULL,NULL,NULL--",
    "' UNION SELECT sql FROM sqlite_schema--",
    "' UNION SELECT usename FROM pg_user--",
    "sleep(5)",
    "1 AND sleep(5)",
    "pg_sleep(5)",
    "'; SELECT pg_sleep(5)--",
    "1 AND (SELECT 1 FROM pg_sleep(5))=1",
    "' || (SELECT pg_sleep(5)) || '",
    "1 AND randomblob(1000000000)",
    "load_extension('x')",
    "ATTACH DATABASE '/tmp/x' AS y",
    "CAST('a' AS int)",
    "'a'::int",
    "$1",
    "?1",
    "$$;SELECT 1;$$",
    "99999999999999999999999999",
    "-9223372036854775809",
    "1e999999",
    "\u{2018} OR \u{2019}1\u{2019}=\u{2019}1",
    "\u{ff07} OR 1=1--",
    "\u{02bc}; DROP TABLE posts",
    "\u{bf}' OR 1=1",
    "a\u{0}' OR 1=1--",
];

/// Percent-encodes everything but letters and digits; `twice` encodes the result again.
fn encoded(text: &str, twice: bool) -> String {
    let once = text.bytes().fold(String::new(), |mut done, byte| {
        if byte.is_ascii_alphanumeric() {
            done.push(char::from(byte));
        } else {
            let _ = write!(done, "%{byte:02X}");
        }
        done
    });
    if twice {
        once.replace('%', "%25")
    } else {
        once
    }
}

struct Attack<'a> {
    world: &'a World,
    asked: u64,
}

impl Attack<'_> {
    #[track_caller]
    fn send(&mut self, method: &str, path: &str, headers: &[&str], body: Option<&str>) -> Answer {
        let kind = "Content-Type: application/json";
        let headers: Vec<&str> = headers.iter().copied().chain(body.map(|_| kind)).collect();
        let began = Instant::now();
        let answer = self
            .world
            .server
            .send(method, path, &headers, body.map(str::as_bytes));
        let engine = self.world.engine;
        assert!(
            answer.status.as_u16() < 500,
            "{engine} {method} {path} {headers:?} {body:?}: {}",
            answer.text()
        );
        assert!(
            began.elapsed() < Duration::from_secs(4),
            "{engine} {method} {path} {headers:?} {body:?}"
        );
        self.asked += 1;
        answer
    }

    /// In every place of a request that reads.
    fn reads(&mut self, payload: &str) {
        for twice in [false, true] {
            let value = encoded(payload, twice);
            let names = [
                "title",
                "title[ne]",
                "title[like]",
                "title[in]",
                "title[null]",
                "id",
                "words[gte]",
                "member_id",
            ];
            for name in names {
                self.send(
                    "GET",
                    &format!("/api/posts?count=none&{name}={value}"),
                    &[],
                    None,
                );
            }
            for name in [
                "sort",
                "fields",
                "include",
                "cursor",
                "page",
                "limit",
                "fields[post]",
            ] {
                self.send(
                    "GET",
                    &format!("/api/posts?count=none&{name}={value}"),
                    &[],
                    None,
                );
            }
            for query in [
                format!("count={value}"),
                format!("{value}=1&count=none"),
                format!("filter[{value}]=1&count=none"),
                format!("title[{value}]=1&count=none"),
                format!("fields=author.{value}&count=none"),
            ] {
                self.send("GET", &format!("/api/posts?{query}"), &[], None);
            }
            for path in [
                format!("/api/{value}"),
                format!("/api/posts/{value}"),
                format!("/api/export/{value}"),
                format!("/api/export/posts?title={value}"),
                format!("/api/posts/1?fields={value}"),
            ] {
                self.send("GET", &path, &[], None);
            }
        }
        // A header holds visible characters; what does not fit there cannot be sent.
        if payload.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            for name in [
                "If-None-Match",
                "If-Match",
                "Authorization",
                "Accept",
                "X-Request-Id",
                "Last-Event-ID",
                "Range",
            ] {
                for value in [
                    payload.to_owned(),
                    format!("\"{}\"", payload.replace('"', "")),
                    format!("Bearer {payload}"),
                ] {
                    self.send("GET", "/api/posts/1", &[&format!("{name}: {value}")], None);
                }
            }
        }
    }

    /// In every place of a request that writes. The row is made, and gone again.
    fn writes(&mut self, payload: &str) {
        let text = serde_json::to_string(payload).unwrap();
        let made = self.send(
            "POST",
            "/api/posts",
            &[],
            Some(&format!("{{\"id\":900,\"title\":{text}}}")),
        );
        if made.status == 201 {
            assert_eq!(
                made.json()["title"],
                payload,
                "{}: it is stored as it is",
                self.world.engine
            );
        }
        for body in [
            format!("{{\"id\":{text},\"title\":\"x\"}}"),
            format!("{{\"id\":901,\"title\":\"y\",{text}:1}}"),
            format!("{{\"id\":901,\"title\":\"y\",\"words\":{text}}}"),
            format!("[{{\"id\":902,\"title\":{text}}},{{\"id\":\"x\"}}]"),
            format!("{{\"id\":901,\"title\":{text}"),
        ] {
            self.send("POST", "/api/posts", &[], Some(&body));
        }
        let tag = format!("If-Match: \"{}\"", encoded(payload, false));
        self.send(
            "PATCH",
            "/api/posts/900",
            &[],
            Some(&format!("{{\"title\":{text}}}")),
        );
        self.send("PATCH", "/api/posts/900", &[&tag], Some("{\"words\":1}"));
        self.send(
            "PUT",
            "/api/posts/900",
            &[],
            Some(&format!(
                "{{\"title\":{text},\"words\":1,\"member_id\":{text}}}"
            )),
        );
        let note = format!("{{\"text\":{text},\"member_id\":1,\"extra\":{{{text}:{text}}}}}");
        self.send("POST", "/api/notes", &[], Some(&note));
        self.send(
            "PATCH",
            "/api/notes/1",
            &[],
            Some(&format!("{{\"extra\":{{{text}:{text}}}}}")),
        );
        let path = format!("/api/posts/{}", encoded(payload, false));
        self.send("PATCH", &path, &[], Some("{\"words\":1}"));
        self.send("DELETE", "/api/posts/900", &[], None);
        self.send("DELETE", "/api/posts/901", &[], None);
        // What is a number may name a row that is there: those of others stay.
        if payload.parse::<i64>().is_err() {
            self.send("DELETE", &path, &[], None);
        }
    }
}

fn tables(world: &World) -> String {
    world.sql(match world.engine {
        "sqlite" => {
            "SELECT group_concat(type || name || coalesce(sql, '')) FROM sqlite_schema WHERE name NOT LIKE 'paceline_%'"
        }
        "postgres" | "neon" => {
            "SELECT string_agg(table_name || column_name || data_type, ',' ORDER BY table_name, column_name)
             FROM information_schema.columns WHERE table_schema = 'public'"
        }
        _ => {
            "SELECT group_concat(table_name, column_name, data_type ORDER BY table_name, column_name)
             FROM information_schema.columns WHERE table_schema = DATABASE()"
        }
    })
}

#[test]
fn nothing_of_a_request_becomes_sql() {
    let settings = [("log_statement", "all"), ("log_parameter_max_length", "0")];
    let cluster = std::sync::Arc::new(Postgres::start_with(&settings));
    let mut others = interactive_worlds(CONFIG);
    others.retain(|world| world.engine != "postgres");
    others.push(on_postgres(&cluster, CONFIG));
    others.push(over_http_on(&cluster, CONFIG));
    for world in others {
        let engine = world.engine;
        let before = tables(&world);
        let rows = world.sql("SELECT count(*) FROM posts");
        let statements = || world.server.metric("paceline_sql_statements_total");
        let mut attack = Attack {
            world: &world,
            asked: 0,
        };
        let began = statements();
        for payload in CORPUS {
            attack.reads(payload);
        }
        let read = statements() - began;
        assert!(
            read <= attack.asked,
            "{engine}: {read} statements for {} requests",
            attack.asked
        );
        for payload in CORPUS {
            attack.writes(payload);
        }
        assert_eq!(tables(&world), before, "{engine}: the schema is as it was");
        assert_eq!(
            world.sql("SELECT count(*) FROM posts"),
            rows,
            "{engine}: no row is gone or left"
        );
        assert_eq!(
            world.sql("SELECT count(*) FROM posts WHERE title = 'owned'"),
            "0",
            "{engine}"
        );
        assert!(attack.asked > 3000, "{engine}: {} requests", attack.asked);
    }
    // The server's own log has the text of every statement, and no text has a value in it.
    let log = cluster.log();
    let texts: BTreeSet<&str> = log
        .lines()
        .filter_map(|line| line.split_once("execute ")?.1.split_once(": "))
        .map(|(_, text)| text)
        .collect();
    assert!(
        texts.iter().any(|text| text.starts_with("SELECT")),
        "it was logged"
    );
    assert!(
        texts.len() < 200,
        "{} texts of statements: {texts:#?}",
        texts.len()
    );
    for text in &texts {
        for payload in CORPUS.iter().filter(|payload| payload.len() > 6) {
            assert!(!text.contains(payload), "{payload} in {text}");
        }
        assert!(!text.contains("sleep"), "{text}");
    }
}
