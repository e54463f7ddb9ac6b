//! `POST /api/auth/login`.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use jiff::Timestamp;
use paceline_data::{SqlDialect, Statement, Value};
use paceline_http::problem::{Problem, Violation};
use serde_json::{Map, json};

use super::token::TokenKey;
use super::verify::Verifier;
use crate::config;
use crate::server::body::read_object;
use crate::server::resource::failure;
use crate::server::source::Source;

/// A longer password is refused: argon2 would read it all.
const MAX_PASSWORD: usize = 1024;
const MAX_EMAIL: usize = 254;

/// What the route needs.
#[derive(Clone)]
pub(crate) struct LoginRoute {
    source: Arc<Source>,
    sql: Arc<str>,
    verifier: Verifier,
}

impl LoginRoute {
    /// `settings` name the table and its columns; they were checked against the schema.
    pub(crate) fn new(source: Arc<Source>, settings: &config::Login) -> Self {
        Self {
            sql: find_user(settings, source.database.catalog().dialect()),
            source,
            verifier: Verifier::new(),
        }
    }
}

/// Two rows at most are read: an identity that names two users logs nobody in.
fn find_user(settings: &config::Login, dialect: SqlDialect) -> Arc<str> {
    let [subject, password, table, identity] = [
        &settings.subject,
        &settings.password,
        &settings.table,
        &settings.identity,
    ]
    .map(|name| dialect.quote(name));
    let email = dialect.first_placeholder();
    format!("SELECT {subject}, {password} FROM {table} WHERE {identity} = {email} LIMIT 2").into()
}

/// The subject and the password hash of the users found, as text.
async fn users(source: &Source, statement: Statement) -> Result<Vec<[Option<String>; 2]>, Problem> {
    let rows = source.database.rows(statement, 2, 2).await;
    let rows = rows.map_err(failure::run)?.into_iter();
    let pair = |row: Vec<Value>| <[Value; 2]>::try_from(row).ok();
    Ok(rows.filter_map(pair).map(|row| row.map(text)).collect())
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::Integer(number) => Some(number.to_string()),
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// Checks the credentials and answers a token. A wrong password and an unknown user get the same answer
/// after the same work.
pub(crate) async fn login(
    State(route): State<LoginRoute>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let object = read_object(&headers, body, route.source.bodies).await?;
    let (email, password) = credentials(object).map_err(Problem::unprocessable)?;
    let statement = Statement {
        sql: Arc::clone(&route.sql),
        values: vec![Value::Text(email)],
    };
    let users = users(&route.source, statement).await?;
    let (subject, hash) = match <[_; 1]>::try_from(users) {
        Ok([[subject, hash]]) => (subject, hash),
        Err(_) => (None, None),
    };
    let good = route.verifier.verify(password, hash).await.map_err(|_| {
        Problem::unavailable(
            Duration::from_secs(1),
            "Too many logins at the same time. Try again in a second.",
        )
    })?;
    match subject {
        Some(subject) if good => Ok(granted(route.source.tokens(), &subject)),
        _ => Err(refused()),
    }
}

fn granted(tokens: &TokenKey, subject: &str) -> Response {
    let token = tokens.issue(subject, Timestamp::now());
    let body =
        json!({"token": token, "token_type": "Bearer", "expires_in": tokens.lifetime().as_secs()});
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (StatusCode::OK, headers, body.to_string()).into_response()
}

fn refused() -> Problem {
    Problem::unauthorized(
        HeaderValue::from_static("Bearer"),
        "The e-mail address or the password is wrong.",
    )
    .with_code("invalid-credentials")
}

fn credentials(
    mut object: Map<String, serde_json::Value>,
) -> Result<(String, String), Vec<Violation>> {
    let mut errors = Vec::new();
    let mut take = |name: &str, max: usize| match object.remove(name) {
        Some(serde_json::Value::String(text)) if text.len() <= max => text,
        Some(serde_json::Value::String(_)) => {
            errors.push(Violation::at_pointer(
                format!("/{name}"),
                "too-long",
                format!("`{name}` is longer than {max} bytes."),
            ));
            String::new()
        }
        Some(_) => {
            errors.push(Violation::at_pointer(
                format!("/{name}"),
                "wrong-type",
                format!("`{name}` must be a string."),
            ));
            String::new()
        }
        None => {
            errors.push(Violation::at_pointer(
                format!("/{name}"),
                "missing-field",
                format!("`{name}` is required."),
            ));
            String::new()
        }
    };
    let found = (take("email", MAX_EMAIL), take("password", MAX_PASSWORD));
    for name in object.keys() {
        let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        errors.push(Violation::at_pointer(
            pointer,
            "unknown-field",
            "Give email and password only.",
        ));
    }
    if errors.is_empty() {
        Ok(found)
    } else {
        Err(errors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_the_configuration_are_quoted() {
        assert_eq!(SqlDialect::Sqlite.quote(r#"a"b"#), r#""a""b""#);
    }

    #[test]
    fn every_mistake_of_the_credentials_is_told() {
        let check = |body: serde_json::Value, expected: &[&str]| {
            let serde_json::Value::Object(object) = body else {
                panic!("an object")
            };
            let errors = credentials(object).err().unwrap_or_default();
            assert_eq!(
                errors.iter().map(Violation::code).collect::<Vec<_>>(),
                expected
            );
        };
        check(json!({"email": "a@b.example", "password": "x"}), &[]);
        check(json!({"email": 1}), &["wrong-type", "missing-field"]);
        check(
            json!({"email": "", "password": "x".repeat(2000), "a/b": 1}),
            &["too-long", "unknown-field"],
        );
    }
}
