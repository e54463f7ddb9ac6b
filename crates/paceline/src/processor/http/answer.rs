//! What an answer means for the job.

use std::time::Duration;

use http::StatusCode;
use serde_json::value::RawValue;

/// How often a job is postponed because the target asks to wait; then asking counts as a failed attempt.
const MAX_POSTPONED: u32 = 100;
/// The largest body that is kept as a job's result.
const MAX_RESULT: usize = 4 * 1024;
/// How much of a refusal is kept as the job's error.
const MAX_EXCERPT: usize = 300;

/// An answer, its body read up to a bound.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// The wait `Retry-After` asks for, brought within bounds.
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Vec<u8>,
    /// Whether that is all of it.
    pub(super) whole: bool,
}

/// What becomes of the job.
#[derive(Debug)]
pub(super) enum Verdict {
    /// 2xx.
    Done {
        status: u16,
        body: Option<Box<RawValue>>,
    },
    /// 429 or 503 with `Retry-After`: no attempt is used.
    Later { status: u16, wait: Duration },
    /// Another attempt may help.
    Failed(String),
    /// 410: the target is gone for good.
    GiveUp(String),
}

/// Judges an answer to a job that was postponed `postponed` times before.
pub(super) fn judge(answer: &Answer, postponed: u32) -> Verdict {
    let status = answer.status.as_u16();
    match (status, answer.retry_after) {
        (200..=299, _) => Verdict::Done {
            status,
            body: result(answer),
        },
        (429 | 503, Some(wait)) if postponed < MAX_POSTPONED => Verdict::Later { status, wait },
        (429 | 503, Some(_)) => Verdict::Failed(format!(
            "the target answered {status} and has asked to wait {MAX_POSTPONED} times"
        )),
        (410, _) => Verdict::GiveUp(
            "the target answered 410 Gone: it takes no deliveries any more".to_owned(),
        ),
        (300..=399, _) => Verdict::Failed(format!(
            "the target answered {status}: redirects are not followed, give the final URL"
        )),
        _ => Verdict::Failed(format!(
            "the target answered {}{}",
            answer.status,
            excerpt(&answer.body)
        )),
    }
}

fn result(answer: &Answer) -> Option<Box<RawValue>> {
    if !answer.whole || answer.body.len() > MAX_RESULT {
        return None;
    }
    serde_json::from_slice(&answer.body).ok()
}

/// The beginning of a text, on one line.
fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let line: String = words.join(" ").chars().take(MAX_EXCERPT).collect();
    if line.is_empty() {
        line
    } else {
        format!(": {line}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, retry_after: Option<u64>, body: &str, postponed: u32) -> Verdict {
        let answer = Answer {
            status: StatusCode::from_u16(status).unwrap(),
            retry_after: retry_after.map(Duration::from_secs),
            body: body.as_bytes().to_vec(),
            whole: true,
        };
        judge(&answer, postponed)
    }

    #[track_caller]
    fn check(status: u16, retry_after: Option<u64>, postponed: u32, expected: &str) {
        let verdict = judged(status, retry_after, "", postponed);
        let found = match verdict {
            Verdict::Done { .. } => "done",
            Verdict::Later { .. } => "later",
            Verdict::Failed(_) => "failed",
            Verdict::GiveUp(_) => "gave up",
        };
        assert_eq!(found, expected, "{status} {retry_after:?} {postponed}");
    }

    #[test]
    fn statuses_mean_what_the_convention_says() {
        for status in [200, 201, 202, 204, 299] {
            check(status, Some(5), 0, "done");
        }
        check(429, Some(5), 0, "later");
        check(503, Some(5), 99, "later");
        check(503, Some(5), 100, "failed");
        check(429, None, 0, "failed");
        check(410, Some(5), 0, "gave up");
        for status in [301, 307, 400, 404, 408, 500, 502, 504] {
            check(status, Some(5), 0, "failed");
        }
    }

    #[test]
    fn only_small_json_is_kept_as_the_result() {
        let kept = |body: &str| match judged(200, None, body, 0) {
            Verdict::Done { body, .. } => body.map(|body| body.get().to_owned()),
            other => panic!("{other:?}"),
        };
        assert_eq!(kept(r#"{"a": 1.50}"#).as_deref(), Some(r#"{"a": 1.50}"#));
        assert_eq!(kept("fine"), None);
        assert_eq!(kept(""), None);
        assert_eq!(kept(&format!("\"{}\"", "x".repeat(5_000))), None);
    }

    #[test]
    fn a_refusal_is_quoted_on_one_line() {
        let Verdict::Failed(why) = judged(500, None, "<h1>\n  no\u{7}\r\n</h1>", 0) else {
            panic!("a 500 is a failure")
        };
        assert_eq!(
            why,
            "the target answered 500 Internal Server Error: <h1> no </h1>"
        );
    }
}
