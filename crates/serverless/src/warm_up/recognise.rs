//! Which events are warm-ups: by their top level, and only what is surely one.

use std::time::Duration;

use serde_json::Value;

/// How long copies of a fan-out stay, so that the others land on other environments; as lambda-warmer does it.
const RENDEZVOUS: Duration = Duration::from_millis(75);

/// Part of the name of a schedule that keeps warm, unless something else is said.
const KEEP_WARM: &str = "keep-warm";

/// What counts as a warm-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Matching {
    schedules: Vec<String>,
    npm: bool,
    ours: bool,
}

/// A warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Recognised {
    /// Whose convention it follows.
    pub(crate) sender: Sender,
    /// How long to stay before the answer, so that copies that were sent at the same time reach other environments.
    pub(crate) stay: Duration,
    /// How many environments the sender wants to reach, where it leaves that to the function. Only this one is: a
    /// function that invokes itself is not built in.
    pub(crate) wanted: u64,
}

/// Whose convention a warm-up follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sender {
    /// A rule of `EventBridge`.
    Rule,
    /// A schedule of `EventBridge` Scheduler.
    Scheduler,
    /// `serverless-plugin-warmup`.
    ServerlessPlugin,
    /// `lambda-warmer`.
    LambdaWarmer,
    /// `{"paceline":"warm-up"}`.
    Paceline,
}

impl Default for Matching {
    fn default() -> Self {
        Self {
            schedules: vec![KEEP_WARM.to_owned()],
            npm: true,
            ours: true,
        }
    }
}

impl Matching {
    pub(crate) fn nothing() -> Self {
        Self {
            schedules: Vec::new(),
            npm: false,
            ours: false,
        }
    }

    pub(crate) fn schedules_named(mut self, part: impl Into<String>) -> Self {
        let part = part.into();
        self.schedules = if part.is_empty() {
            Vec::new()
        } else {
            vec![part]
        };
        self
    }

    /// What warm-up the event is, if it is one.
    pub(crate) fn recognise(&self, event: &Value) -> Option<Recognised> {
        if let Value::Array(events) = event {
            return self.recognise_list(events);
        }
        let text = |key: &str| event.get(key).and_then(Value::as_str);
        let one = |sender| Recognised {
            sender,
            stay: Duration::ZERO,
            wanted: 1,
        };
        if self.ours && text("paceline") == Some("warm-up") {
            return Some(one(Sender::Paceline));
        }
        match text("source") {
            Some("aws.events") if text("detail-type") == Some("Scheduled Event") => {
                return self.names(event, rule).then(|| one(Sender::Rule));
            }
            Some("aws.scheduler") => {
                return self.names(event, schedule).then(|| one(Sender::Scheduler));
            }
            Some("serverless-plugin-warmup") if self.npm => {
                return Some(one(Sender::ServerlessPlugin));
            }
            _ => {}
        }
        self.npm.then(|| lambda_warmer(event)).flatten()
    }

    /// `lambda-warmer` takes lists. All must be warm-ups, or something would be lost.
    fn recognise_list(&self, events: &[Value]) -> Option<Recognised> {
        let found: Option<Vec<Recognised>> = events
            .iter()
            .map(|event| self.npm.then(|| lambda_warmer(event)).flatten())
            .collect();
        found?.into_iter().max_by_key(|found| found.stay)
    }

    /// Whether a name among the event's resources says that this keeps warm.
    fn names(&self, event: &Value, name: fn(&str) -> Option<&str>) -> bool {
        let resources = event.get("resources").and_then(Value::as_array);
        resources
            .into_iter()
            .flatten()
            .filter_map(|resource| name(resource.as_str()?))
            .any(|name| self.schedules.iter().any(|part| name.contains(part)))
    }
}

/// The name in `arn:aws:events:REGION:ACCOUNT:rule/NAME`, or `rule/BUS/NAME`.
fn rule(arn: &str) -> Option<&str> {
    resource(arn, "events")?
        .strip_prefix("rule/")?
        .rsplit('/')
        .next()
}

/// The name in `arn:aws:scheduler:REGION:ACCOUNT:schedule/GROUP/NAME`.
fn schedule(arn: &str) -> Option<&str> {
    let path = resource(arn, "scheduler")?.strip_prefix("schedule/")?;
    path.rsplit('/').next()
}

/// The last part of an address, if it is of `service`.
fn resource<'a>(arn: &'a str, service: &str) -> Option<&'a str> {
    let mut parts = arn.splitn(6, ':');
    let (scheme, _partition, of) = (parts.next()?, parts.next()?, parts.next()?);
    let (_region, _account) = (parts.next()?, parts.next()?);
    (scheme == "arn" && of == service).then(|| parts.next())?
}

fn lambda_warmer(event: &Value) -> Option<Recognised> {
    let is_warmer = event.get("warmer").and_then(Value::as_bool) == Some(true);
    if !is_warmer {
        return None;
    }
    let number = |key: &str| event.get(key).and_then(Value::as_u64).unwrap_or(1);
    let is_copy = number("__WARMER_INVOCATION__") > 1;
    Some(Recognised {
        sender: Sender::LambdaWarmer,
        stay: if is_copy { RENDEZVOUS } else { Duration::ZERO },
        // Each copy carries the number too, and is not asked to make more.
        wanted: if event.get("__WARMER_INVOCATION__").is_some() {
            1
        } else {
            number("concurrency")
        },
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rule_event(name: &str) -> Value {
        json!({
            "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event",
            "source": "aws.events", "account": "123456789012", "time": "2026-11-25T10:00:00Z", "region": "eu-west-1",
            "resources": [format!("arn:aws:events:eu-west-1:123456789012:rule/{name}")], "detail": {}
        })
    }

    fn scheduler_event(name: &str) -> Value {
        json!({
            "version": "0", "id": "d47b1b76-8d35-4b4a-9a0a-3f5e2b3a1c11", "detail-type": "Scheduled Event",
            "source": "aws.scheduler", "account": "123456789012", "time": "2026-11-25T10:00:00Z", "region": "eu-west-1",
            "resources": [format!("arn:aws:scheduler:eu-west-1:123456789012:schedule/{name}")], "detail": "{}"
        })
    }

    fn sender(event: &Value) -> Option<Sender> {
        Matching::default()
            .recognise(event)
            .map(|found| found.sender)
    }

    #[test]
    fn trap_08_warm_ups_of_every_sender_are_recognised() {
        for (event, expected) in [
            (rule_event("shop-keep-warm"), Sender::Rule),
            (rule_event("my-bus/keep-warm-5m"), Sender::Rule),
            (scheduler_event("default/shop-keep-warm"), Sender::Scheduler),
            (
                json!({"source": "serverless-plugin-warmup"}),
                Sender::ServerlessPlugin,
            ),
            (
                json!({"warmer": true, "concurrency": 3}),
                Sender::LambdaWarmer,
            ),
            (
                json!([{"warmer": true}, {"warmer": true, "concurrency": 2}]),
                Sender::LambdaWarmer,
            ),
            (json!({"paceline": "warm-up"}), Sender::Paceline),
        ] {
            assert_eq!(sender(&event), Some(expected), "{event}");
        }
    }

    #[test]
    fn trap_08_jobs_of_others_are_not_swallowed() {
        for event in [
            rule_event("nightly-report"),
            // The bus or the group has the name, not the schedule.
            rule_event("keep-warm/nightly-report"),
            scheduler_event("keep-warm/nightly-report"),
            json!({"source": "aws.events"}),
            json!({"source": "aws.events", "detail-type": "Scheduled Event"}),
            json!({"source": "aws.events", "detail-type": "Order Placed", "resources": ["arn:aws:events:r:1:rule/keep-warm"]}),
            json!({"source": "aws.scheduler", "resources": ["keep-warm"]}),
            json!({"source": "aws.scheduler", "resources": "keep-warm"}),
            json!({"warmer": false}),
            json!({"warmer": "true"}),
            json!({"body": {"warmer": true}}),
            json!([{"warmer": true}, {"order": 7}]),
            json!([]),
            json!({"paceline": "work"}),
            json!("serverless-plugin-warmup"),
            json!(null),
        ] {
            assert_eq!(sender(&event), None, "{event}");
        }
    }

    #[test]
    fn copies_of_a_fan_out_stay_until_the_others_have_come() {
        let copy = |number: u64| {
            let event = json!({
                "warmer": true, "__WARMER_INVOCATION__": number, "__WARMER_CONCURRENCY__": 3,
                "__WARMER_CORRELATIONID__": "c0ffee"
            });
            Matching::default().recognise(&event).expect("a warm-up")
        };
        assert_eq!((copy(1).stay, copy(1).wanted), (Duration::ZERO, 1));
        assert_eq!((copy(2).stay, copy(2).wanted), (RENDEZVOUS, 1));
        let first = json!({"warmer": true, "concurrency": 5});
        let first = Matching::default().recognise(&first).expect("a warm-up");
        assert_eq!((first.stay, first.wanted), (Duration::ZERO, 5));
    }

    #[test]
    fn what_counts_is_a_setting() {
        let pings = Matching::default().schedules_named("ping");
        assert!(pings.recognise(&rule_event("shop-ping")).is_some());
        assert!(pings.recognise(&rule_event("keep-warm")).is_none());
        let none = Matching::default().schedules_named("");
        assert!(none.recognise(&rule_event("keep-warm")).is_none());
        for event in [
            rule_event("keep-warm"),
            json!({"warmer": true}),
            json!({"paceline": "warm-up"}),
        ] {
            assert!(Matching::nothing().recognise(&event).is_none(), "{event}");
        }
    }
}
