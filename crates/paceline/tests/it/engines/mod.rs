//! One set of requests over every engine: the same rows give the same bytes.

mod chinook;
mod exhaustion;
mod leaving;
mod mariadb;
mod neon;
mod planetscale;
mod postgres;
mod restart;
mod shop;
mod sorting;
mod versions;

use paceline_test_servers::Postgres;

use crate::client::Answer;
use crate::server::Server;

/// What an answer says, without what names its server: cursors are signed with a key of each.
fn said(answer: &Answer) -> String {
    let link = answer
        .headers
        .get("link")
        .map(|link| link.to_str().unwrap());
    let kind = answer.header("content-type");
    let text = format!("{} {kind} {link:?}\n{}", answer.status, answer.text());
    without_cursors(&text)
}

/// The text with each cursor cut out: in the body, and in `Link`.
fn without_cursors(text: &str) -> String {
    let mut kept = text.to_owned();
    for begin in ["\"next\":\"", "cursor=", "cursor%5D="] {
        let mut parts = kept.split(begin);
        let mut cut = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let end = part.find(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c));
            cut += begin;
            cut += &part[end.unwrap_or(part.len())..];
        }
        kept = cut;
    }
    kept
}

/// The cursor of the next page, if there is one.
fn next(answer: &Answer) -> Option<String> {
    let next = answer.json()["pagination"]["next"]
        .as_str()
        .map(str::to_owned);
    next.filter(|next| !next.is_empty())
}

/// Serves a database of the shared server.
fn serve(server: &Postgres, database: &str) -> Server {
    Server::serve_url(&server.url(database))
}
