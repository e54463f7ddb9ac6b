//! A scheduler as BullMQ stores it. What BullMQ has no word for has a name that begins with `pl`.

use std::collections::HashMap;
use std::num::NonZeroU64;
use std::time::Duration;

use redis::Value;
use serde_json::json;
use serde_json::value::RawValue;

use super::job_options::{self, StoredOptions, whole_millis};
use super::reply::{list, number, text};
use crate::clock::Timestamp;
use crate::names::SchedulerId;
use crate::options::JobOptions;
use crate::scheduler::{CatchUp, Schedule, Scheduler, SchedulerInfo};

/// What is known of a stored scheduler.
#[derive(Debug)]
pub(super) struct StoredScheduler {
    pub(super) scheduler: Scheduler,
    /// The slot it stands at, and whether the job of that has not started.
    pub(super) slot: Timestamp,
    pub(super) is_ahead: bool,
    /// Jobs made, the one that waits included.
    pub(super) made: u64,
    /// The options of its jobs as they are stored, those we do not know included.
    template: serde_json::Map<String, serde_json::Value>,
}

impl StoredScheduler {
    /// Reads the fields of a scheduler; nothing when it has no schedule.
    pub(super) fn read(id: String, slot: Timestamp, is_ahead: bool, fields: Value) -> Option<Self> {
        let mut named = HashMap::new();
        let mut parts = list(fields).into_iter();
        while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
            named.insert(text(name)?, text(value)?);
        }
        let time = |name: &str| {
            let millis = named.get(name).and_then(|text| number(text));
            millis.map(Timestamp::from_millis)
        };
        let count = |name: &str| {
            let count = named.get(name).and_then(|text| number(text));
            count.and_then(|count| u64::try_from(count).ok())
        };
        let opts = named.get("opts").map_or("{}", String::as_str);
        let scheduler = Scheduler {
            id: SchedulerId::lookup(id),
            schedule: schedule(&named, &count)?,
            start: time("startDate"),
            end: time("endDate"),
            limit: count("limit").and_then(NonZeroU64::new),
            immediately: false,
            catch_up: match named.get("plcatch").map(String::as_str) {
                Some("skip") => CatchUp::Skip,
                Some("all") => CatchUp::All,
                _ => CatchUp::One,
            },
            name: named.get("name").cloned().unwrap_or_default(),
            data: named
                .get("data")
                .and_then(|data| RawValue::from_string(data.clone()).ok())
                .unwrap_or_else(empty),
            options: job_options_of(opts),
        };
        Some(Self {
            scheduler,
            slot,
            is_ahead,
            made: count("ic").unwrap_or(0),
            template: serde_json::from_str(opts).unwrap_or_default(),
        })
    }

    pub(super) fn info(self) -> SchedulerInfo {
        let Scheduler {
            id,
            schedule,
            start,
            end,
            limit,
            catch_up,
            name,
            data,
            options,
            ..
        } = self.scheduler;
        SchedulerInfo {
            id,
            schedule,
            name,
            data,
            next: self.is_ahead.then_some(self.slot),
            made: self.made,
            limit,
            start,
            end,
            catch_up,
            options,
        }
    }

    /// The options of the job of `slot`.
    pub(super) fn job_opts(&self, slot: Timestamp, now: Timestamp) -> String {
        job_opts(
            &self.scheduler,
            self.template.clone(),
            self.made + 1,
            slot,
            now,
        )
    }
}

fn empty() -> Box<RawValue> {
    RawValue::from_string("{}".to_owned()).expect("an empty object is JSON")
}

fn schedule(
    named: &HashMap<String, String>,
    count: &impl Fn(&str) -> Option<u64>,
) -> Option<Schedule> {
    if let Some(every) = count("every").filter(|every| *every > 0) {
        return Some(Schedule::Every {
            every: Duration::from_millis(every),
            offset: count("offset")
                .filter(|_| !named.contains_key(FOLLOWS))
                .map(Duration::from_millis),
        });
    }
    Some(Schedule::Cron {
        pattern: named.get("pattern")?.clone(),
        zone: named.get("tz").cloned().unwrap_or_else(|| "UTC".to_owned()),
    })
}

/// Stored options as a producer's.
fn job_options_of(opts: &str) -> JobOptions {
    let stored = StoredOptions::read(opts);
    let priority: u32 = serde_json::from_str::<serde_json::Value>(opts)
        .ok()
        .and_then(|opts| opts.get("priority")?.as_u64())
        .and_then(|priority| u32::try_from(priority).ok())
        .unwrap_or(0);
    JobOptions {
        attempts: Some(stored.max_attempts),
        backoff: stored.backoff,
        keep_completed: stored.keep_completed,
        keep_failed: stored.keep_failed,
        keep_logs: stored.keep_logs,
        lifo: stored.lifo,
        timeout: stored.timeout,
        ..JobOptions::new()
    }
    .priority(priority)
}

/// The options of a scheduler's jobs without those that are not used.
pub(super) fn template(scheduler: &Scheduler) -> String {
    let options = JobOptions {
        id: None,
        delay: Duration::ZERO,
        deduplication: None,
        idempotency: None,
        ..scheduler.options.clone()
    };
    job_options::write(&options)
}

/// The options of the job of a new scheduler's `slot`.
pub(super) fn first_job_opts(
    scheduler: &Scheduler,
    made: u64,
    slot: Timestamp,
    now: Timestamp,
) -> String {
    let template = serde_json::from_str(&template(scheduler)).unwrap_or_default();
    job_opts(scheduler, template, made + 1, slot, now)
}

fn job_opts(
    scheduler: &Scheduler,
    mut opts: serde_json::Map<String, serde_json::Value>,
    count: u64,
    slot: Timestamp,
    now: Timestamp,
) -> String {
    let id = scheduler.id.as_str();
    let mut repeat = json!({ "count": count });
    match &scheduler.schedule {
        Schedule::Every { every, offset } => {
            repeat["every"] = json!(whole_millis(*every));
            if let Some(offset) = offset {
                repeat["offset"] = json!(whole_millis(*offset));
            }
        }
        Schedule::Cron { pattern, zone } => {
            repeat["pattern"] = json!(pattern);
            repeat["tz"] = json!(zone);
        }
    }
    if let Some(limit) = scheduler.limit {
        repeat["limit"] = json!(limit);
    }
    if let Some(end) = scheduler.end {
        repeat["endDate"] = json!(end);
    }
    let delay = whole_millis(slot.saturating_since(now));
    for (name, value) in [
        ("repeat", repeat),
        ("jobId", json!(slot_id(id, slot))),
        ("repeatJobKey", json!(id)),
        ("prevMillis", json!(slot)),
        ("timestamp", json!(now)),
        ("delay", json!(delay)),
    ] {
        opts.insert(name.to_owned(), value);
    }
    serde_json::Value::Object(opts).to_string()
}

/// The id of the job of a slot.
pub(super) fn slot_id(scheduler: &str, slot: Timestamp) -> String {
    format!("repeat:{scheduler}:{}", slot.as_millis())
}

/// Said of a scheduler whose `offset` is only where its first slot happened to lie.
const FOLLOWS: &str = "plfollows";

/// The fields to store. BullMQ goes by `offset` after a slot was missed, so it is always there.
pub(super) fn fields(
    scheduler: &Scheduler,
    slot: Option<Timestamp>,
) -> Vec<(&'static str, String)> {
    let mut fields = vec![
        ("name", scheduler.name.clone()),
        ("data", scheduler.data.get().to_owned()),
        ("opts", template(scheduler)),
    ];
    match &scheduler.schedule {
        Schedule::Every { every, offset } => {
            fields.push(("every", whole_millis(*every).to_string()));
            if let Some(offset) = offset {
                fields.push(("offset", whole_millis(*offset).to_string()));
            } else if let Some(slot) = slot {
                let every = i64::try_from(whole_millis(*every)).unwrap_or(i64::MAX);
                let offset = slot.as_millis().rem_euclid(every.max(1));
                fields.push(("offset", offset.to_string()));
                fields.push((FOLLOWS, "1".to_owned()));
            }
        }
        Schedule::Cron { pattern, zone } => {
            fields.push(("pattern", pattern.clone()));
            fields.push(("tz", zone.clone()));
        }
    }
    for (name, time) in [("startDate", scheduler.start), ("endDate", scheduler.end)] {
        fields.extend(time.map(|time| (name, time.as_millis().to_string())));
    }
    fields.extend(scheduler.limit.map(|limit| ("limit", limit.to_string())));
    let catch_up = match scheduler.catch_up {
        CatchUp::Skip => "skip",
        CatchUp::One => "one",
        CatchUp::All => "all",
    };
    fields.push(("plcatch", catch_up.to_owned()));
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(fields: &[(&str, &str)]) -> Option<StoredScheduler> {
        let flat = fields
            .iter()
            .flat_map(|(name, value)| [name, value])
            .map(|text| Value::BulkString(text.as_bytes().to_vec()))
            .collect();
        let slot = Timestamp::from_millis(5_000);
        StoredScheduler::read("s".to_owned(), slot, true, Value::Array(flat))
    }

    #[test]
    fn schedulers_of_other_programs_are_understood() {
        let every = stored(&[
            ("name", "n"),
            ("every", "1000"),
            ("ic", "3"),
            ("opts", "{\"x\":1}"),
        ]);
        let every = every.unwrap();
        assert_eq!((every.made, every.scheduler.data.get()), (3, "{}"));
        let opts = every.job_opts(Timestamp::from_millis(6_000), Timestamp::from_millis(5_500));
        let opts: serde_json::Value = serde_json::from_str(&opts).unwrap();
        assert_eq!(opts["x"], 1, "unknown options are kept");
        assert_eq!(opts["repeat"], json!({ "every": 1000, "count": 4 }));
        assert_eq!(
            (&opts["jobId"], &opts["delay"]),
            (&json!("repeat:s:6000"), &json!(500))
        );
        let cron = stored(&[("pattern", "* * * * *")]).unwrap();
        assert!(matches!(cron.scheduler.schedule, Schedule::Cron { zone, .. } if zone == "UTC"));
        assert!(stored(&[("name", "n")]).is_none());
    }
}
