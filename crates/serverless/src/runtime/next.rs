//! An event as the Runtime API hands it out.

use std::time::{Instant, SystemTime};

use bytes::Bytes;
use http::HeaderMap;

use super::RuntimeApiError;
use crate::deadline::Deadline;
use crate::invocation::Invocation;

/// An event that waits for its answer.
#[derive(Debug)]
pub(crate) struct Next {
    pub(crate) invocation: Invocation,
    pub(crate) deadline: Option<Deadline>,
    pub(crate) payload: Bytes,
}

impl Next {
    pub(super) fn read(headers: &HeaderMap, payload: Bytes) -> Result<Self, RuntimeApiError> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let owned = |name: &str| header(name).map(ToOwned::to_owned);
        let is_safe = |id: &&str| {
            let mut bytes = id.bytes();
            !id.is_empty()
                && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        let id = header("lambda-runtime-aws-request-id").filter(is_safe);
        let deadline = header("lambda-runtime-deadline-ms");
        Ok(Self {
            invocation: Invocation {
                request_id: id.ok_or(RuntimeApiError::NoId)?.to_owned(),
                trace_id: owned("lambda-runtime-trace-id"),
                function_arn: owned("lambda-runtime-invoked-function-arn"),
                tenant_id: owned("lambda-runtime-aws-tenant-id"),
            },
            deadline: Deadline::read(deadline, SystemTime::now(), Instant::now()),
            payload,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_without_a_usable_id_cannot_be_answered() {
        for (id, is_usable) in [
            (Some("8476a536-e9f4-11e8-9739-2dfe598c3fcd"), true),
            (Some("a/../b"), false),
            (Some(""), false),
            (None, false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(id) = id {
                headers.insert(
                    "lambda-runtime-aws-request-id",
                    id.parse().expect("a value"),
                );
            }
            assert_eq!(
                Next::read(&headers, Bytes::new()).is_ok(),
                is_usable,
                "{id:?}"
            );
        }
    }
}
