//! What can be written by hand on axum and `mysql_async`: a row and pages of rows as JSON, and pages whose JSON the
//! server makes in one statement.
//!
//! A process of its own. Statements are prepared once; a connection is taken off a stack and put back, which is the
//! least that anybody could do: one of this protocol answers one statement at a time.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Opts, OptsBuilder, Statement, UrlError};
use serde::Serialize;
use tokio::sync::Semaphore;

use crate::Outcome;

const POST: &str =
    "SELECT id, user_id, title, body, CAST(created_at AS char) FROM posts WHERE id = ?";

/// The rows after one, not counted.
const AFTER: &str = "SELECT id, user_id, title, body, CAST(created_at AS char) FROM posts WHERE id > ? \
     ORDER BY id LIMIT 20";

/// The same as JSON of the server's making.
const AFTER_GATHERED: &str = "\
    SELECT COALESCE(JSON_ARRAYAGG(JSON_OBJECT('id', id, 'user_id', user_id, 'title', title, 'body', body, \
        'created_at', created_at) ORDER BY id), '[]') \
    FROM (SELECT id, user_id, title, body, created_at FROM posts WHERE id > ? ORDER BY id LIMIT 20) AS page";

/// A page and the count of all rows.
const PAGE_GATHERED: &str = "\
    SELECT COALESCE(JSON_ARRAYAGG(JSON_OBJECT('id', id, 'user_id', user_id, 'title', title, 'body', body, \
        'created_at', created_at) ORDER BY id), '[]'), (SELECT COUNT(*) FROM posts) \
    FROM (SELECT id, user_id, title, body, created_at FROM posts ORDER BY id LIMIT ? OFFSET ?) AS page";

/// A connection and its statements.
struct Session {
    connection: Conn,
    post: Statement,
    after: Statement,
    after_gathered: Statement,
    page_gathered: Statement,
}

/// Sessions that nobody uses, and as many permits.
struct Sessions {
    free: Semaphore,
    stack: Mutex<Vec<Session>>,
}

type Row = (i64, i64, String, String, String);

#[derive(Serialize)]
struct Post {
    id: i64,
    user_id: i64,
    title: String,
    body: String,
    created_at: String,
}

impl From<Row> for Post {
    fn from((id, user_id, title, body, created_at): Row) -> Self {
        Self {
            id,
            user_id,
            title,
            body,
            created_at,
        }
    }
}

impl Sessions {
    /// Lends a session to `ask`; one that failed is used again, as the statements change nothing.
    async fn with<T>(
        &self,
        ask: impl AsyncFnOnce(&mut Session) -> Result<T, mysql_async::Error>,
    ) -> Result<T, mysql_async::Error> {
        let _permit = self.free.acquire().await.expect("it is never closed");
        let mut session = self.stack().pop().expect("there is one for each permit");
        let asked = ask(&mut session).await;
        self.stack().push(session);
        asked
    }

    fn stack(&self) -> std::sync::MutexGuard<'_, Vec<Session>> {
        self.stack.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves `ADDRESS URL CONNECTIONS`.
pub(crate) fn serve(arguments: &[String]) -> Outcome<()> {
    let [address, url, connections] = arguments else {
        return Err("mariadb-handler needs ADDRESS URL CONNECTIONS".to_owned());
    };
    let connections: usize = connections
        .parse()
        .map_err(|_| format!("{connections:?} is no number"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let options = options(url).map_err(|error| error.to_string())?;
        let mut stack = Vec::new();
        for _ in 0..connections {
            let session = session(options.clone()).await;
            stack.push(session.map_err(|error| error.to_string())?);
        }
        let sessions = Arc::new(Sessions {
            free: Semaphore::new(connections),
            stack: Mutex::new(stack),
        });
        let listener = tokio::net::TcpListener::bind(address.as_str())
            .await
            .map_err(|error| error.to_string())?;
        axum::serve(listener, router(sessions))
            .await
            .map_err(|error| error.to_string())
    })
}

/// The driver's options for `url`: over TCP, as all the others come.
pub(super) fn options(url: &str) -> Result<Opts, UrlError> {
    let options = OptsBuilder::from_opts(Opts::from_url(url)?);
    Ok(options.prefer_socket(false).into())
}

async fn session(options: Opts) -> Result<Session, mysql_async::Error> {
    let mut connection = Conn::new(options).await?;
    Ok(Session {
        post: connection.prep(POST).await?,
        after: connection.prep(AFTER).await?,
        after_gathered: connection.prep(AFTER_GATHERED).await?,
        page_gathered: connection.prep(PAGE_GATHERED).await?,
        connection,
    })
}

fn router(sessions: Arc<Sessions>) -> Router {
    Router::new()
        .route("/page-gathered/{page}", get(page_gathered))
        .route("/after/{id}", get(after))
        .route("/after-gathered/{id}", get(after_gathered))
        .route("/posts/{id}", get(post))
        .route("/noop", get(async || "ok"))
        .layer(from_fn(seen_through))
        .with_state(sessions)
}

/// Ends each request, though its client has left: a session that is let go of in the middle of a statement is of no
/// further use, and would be missing from the stack.
async fn seen_through(request: Request, next: Next) -> Response {
    let answered = tokio::spawn(next.run(request)).await;
    answered.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

async fn page_gathered(State(sessions): State<Arc<Sessions>>, Path(page): Path<u64>) -> Response {
    let skip = page.saturating_sub(1) * 20;
    let asked = sessions.with(async |session| {
        let statement = &session.page_gathered;
        let row = session.connection.exec_first(statement, (20, skip)).await?;
        Ok(row.map(|(page, _total): (String, u64)| page))
    });
    gathered(asked.await)
}

async fn after_gathered(State(sessions): State<Arc<Sessions>>, Path(id): Path<i64>) -> Response {
    let asked = sessions.with(async |session| {
        let statement = &session.after_gathered;
        session.connection.exec_first(statement, (id,)).await
    });
    gathered(asked.await)
}

async fn after(State(sessions): State<Arc<Sessions>>, Path(id): Path<i64>) -> Response {
    let asked = sessions.with(async |session| {
        let statement = &session.after;
        let take = |row: Row| Post::from(row);
        session.connection.exec_map(statement, (id,), take).await
    });
    match asked.await {
        Ok(posts) => json(serde_json::to_string(&posts).unwrap_or_default()),
        Err(error) => failed(&error),
    }
}

async fn post(State(sessions): State<Arc<Sessions>>, Path(id): Path<i64>) -> Response {
    let asked = sessions.with(async |session| {
        let statement = &session.post;
        session.connection.exec_first(statement, (id,)).await
    });
    match asked.await {
        Ok(Some(row)) => {
            let row: Row = row;
            json(serde_json::to_string(&Post::from(row)).unwrap_or_default())
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => failed(&error),
    }
}

/// An aggregate is one row, whatever it was made from.
fn gathered(asked: Result<Option<String>, mysql_async::Error>) -> Response {
    match asked {
        Ok(text) => json(text.unwrap_or_default()),
        Err(error) => failed(&error),
    }
}

fn json(body: String) -> Response {
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}

fn failed(error: &mysql_async::Error) -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response()
}
