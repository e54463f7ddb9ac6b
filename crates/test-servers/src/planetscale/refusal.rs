//! Errors in the vendor's words.

use std::fmt;

use mysql_async::Error;
use serde_json::{Value, json};

/// Who is named as the caller in messages.
const CALLER: &str = "planetscale-test";

/// A request that is not carried out, or whose statement failed.
#[derive(Debug)]
pub(super) struct Refusal {
    /// 200 where the statement failed: the session is still told then.
    pub(super) status: u16,
    code: &'static str,
    message: String,
}

impl Refusal {
    /// Refused before anything ran, as Connect's errors are.
    pub(super) fn of_request(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    /// What Vitess' gate says before it asks a tablet.
    pub(super) fn of_gate(message: impl Into<String>) -> Self {
        Self::of_request(200, "INVALID_ARGUMENT", message)
    }

    /// What a tablet says: its code is in the message only.
    fn of_tablet(database: &str, code: &str, description: impl fmt::Display) -> Self {
        let message = format!(
            "target: {database}.-.primary: vttablet: rpc error: code = {code} desc = {description} (CallerID: {CALLER})"
        );
        Self::of_request(200, "UNKNOWN", message)
    }

    /// More rows than one answer may have.
    pub(super) fn rows(database: &str, most: usize) -> Self {
        Self::of_tablet(database, "Aborted", format!("Row count exceeded {most}"))
    }

    /// A transaction that was open for too long.
    pub(super) fn transaction(database: &str, number: u64, limit: std::time::Duration) -> Self {
        let description = format!(
            "transaction {number}: ended at 2026-01-31 12:00:00.000 UTC (exceeded timeout: {}s)",
            limit.as_secs()
        );
        Self::of_tablet(database, "Aborted", description)
    }

    /// What the server behind it says.
    pub(super) fn of_server(database: &str, error: &Error, query: &str) -> Self {
        let Error::Server(error) = error else {
            return Self::of_tablet(database, "Unavailable", error);
        };
        let code = match error.code {
            1062 | 1586 => "AlreadyExists",
            1146 | 1049 => "NotFound",
            1044 | 1045 | 1142 | 1143 => "PermissionDenied",
            1205 | 1317 | 3024 => "DeadlineExceeded",
            1213 => "Aborted",
            1040 | 1203 => "ResourceExhausted",
            1048 | 1054 | 1064 | 1216 | 1217 | 1264 | 1292 | 1364 | 1366 | 1406 | 1451 | 1452
            | 3819 | 4025 => "InvalidArgument",
            _ => "Unknown",
        };
        let description = format!(
            "{} (errno {}) (sqlstate {}) (CallerID: {CALLER}): Sql: \"{}\", BindVars: {{REDACTED}}",
            error.message,
            error.code,
            error.state,
            query.replace('"', "\\\"")
        );
        let message = format!(
            "target: {database}.-.primary: vttablet: rpc error: code = {code} desc = {description}"
        );
        Self::of_request(200, "UNKNOWN", message)
    }

    pub(super) fn json(&self) -> Value {
        json!({"code": self.code, "message": self.message})
    }
}
