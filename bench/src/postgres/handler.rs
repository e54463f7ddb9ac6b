//! What can be written by hand on axum and tokio-postgres: a row as JSON, and pages whose JSON the server makes in one
//! statement, in the way `PostgREST` asks for them.
//!
//! A process of its own. Statements are prepared once; requests are spread over the connections without a pool, which
//! is the least that anybody could do.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;
use tokio_postgres::{Client, NoTls, Statement};

use crate::Outcome;

/// A page and the count of all rows: the page in one part of the statement, what is counted in another.
const PAGE: &str = "\
    WITH page AS (SELECT id, user_id, title, body, created_at FROM public.posts ORDER BY id LIMIT $1 OFFSET $2), \
    counted AS (SELECT 1 FROM public.posts) \
    SELECT (SELECT pg_catalog.count(*) FROM counted) AS total_result_set, pg_catalog.count(t) AS page_total, \
        coalesce(pg_catalog.json_agg(t), '[]')::varchar AS body, \
        nullif(pg_catalog.current_setting('response.headers', true), '') AS response_headers, \
        nullif(pg_catalog.current_setting('response.status', true), '') AS response_status \
    FROM (SELECT * FROM page) AS t";

/// The rows after one, not counted.
const AFTER: &str = "\
    WITH page AS (SELECT id, user_id, title, body, created_at FROM public.posts WHERE id > $1 ORDER BY id LIMIT 20) \
    SELECT NULL::bigint AS total_result_set, pg_catalog.count(t) AS page_total, \
        coalesce(pg_catalog.json_agg(t), '[]')::varchar AS body, \
        nullif(pg_catalog.current_setting('response.headers', true), '') AS response_headers, \
        nullif(pg_catalog.current_setting('response.status', true), '') AS response_status \
    FROM (SELECT * FROM page) AS t";

const POST: &str = "SELECT id, user_id, title, body, created_at::text AS created_at FROM public.posts WHERE id = $1";

/// A connection and its statements.
struct Session {
    client: Client,
    page: Statement,
    after: Statement,
    post: Statement,
}

struct Sessions {
    all: Vec<Session>,
    next: AtomicUsize,
}

impl Sessions {
    fn next(&self) -> &Session {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        &self.all[next % self.all.len()]
    }
}

#[derive(Serialize)]
struct Post<'a> {
    id: i64,
    user_id: i64,
    title: &'a str,
    body: &'a str,
    created_at: &'a str,
}

/// Serves `ADDRESS URL CONNECTIONS`.
pub(crate) fn serve(arguments: &[String]) -> Outcome<()> {
    let [address, url, connections] = arguments else {
        return Err("postgres-handler needs ADDRESS URL CONNECTIONS".to_owned());
    };
    let connections: usize = connections
        .parse()
        .map_err(|_| format!("{connections:?} is no number"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let mut all = Vec::new();
        for _ in 0..connections {
            all.push(session(url).await.map_err(|error| error.to_string())?);
        }
        let sessions = Arc::new(Sessions {
            all,
            next: AtomicUsize::new(0),
        });
        let listener = tokio::net::TcpListener::bind(address.as_str())
            .await
            .map_err(|error| error.to_string())?;
        axum::serve(listener, router(sessions))
            .await
            .map_err(|error| error.to_string())
    })
}

async fn session(url: &str) -> Result<Session, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(Session {
        page: client.prepare(PAGE).await?,
        after: client.prepare(AFTER).await?,
        post: client.prepare(POST).await?,
        client,
    })
}

fn router(sessions: Arc<Sessions>) -> Router {
    Router::new()
        .route("/page/{page}", get(page))
        .route("/after/{id}", get(after))
        .route("/posts/{id}", get(post))
        .route("/noop", get(async || "ok"))
        .with_state(sessions)
}

async fn page(State(sessions): State<Arc<Sessions>>, Path(page): Path<i64>) -> Response {
    let session = sessions.next();
    let (rows, skip) = (20_i64, (page - 1).max(0) * 20);
    match session
        .client
        .query_one(&session.page, &[&rows, &skip])
        .await
    {
        Ok(row) => json(row.get::<_, String>(2)),
        Err(error) => failed(&error),
    }
}

async fn after(State(sessions): State<Arc<Sessions>>, Path(id): Path<i64>) -> Response {
    let session = sessions.next();
    match session.client.query_one(&session.after, &[&id]).await {
        Ok(row) => json(row.get::<_, String>(2)),
        Err(error) => failed(&error),
    }
}

async fn post(State(sessions): State<Arc<Sessions>>, Path(id): Path<i64>) -> Response {
    let session = sessions.next();
    match session.client.query_opt(&session.post, &[&id]).await {
        Ok(Some(row)) => {
            let post = Post {
                id: row.get(0),
                user_id: row.get(1),
                title: row.get(2),
                body: row.get(3),
                created_at: row.get(4),
            };
            json(serde_json::to_string(&post).unwrap_or_default())
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => failed(&error),
    }
}

fn json(body: String) -> Response {
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}

fn failed(error: &tokio_postgres::Error) -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response()
}
