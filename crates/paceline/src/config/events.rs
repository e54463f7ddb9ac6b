//! `on` of a resource: the jobs that follow its writes.

use paceline_jobs::QueueName;

use super::reader::Section;
use super::values::{self, Invalid};

/// `on = { insert = { queue = "emails", job = "welcome" } }`: a job for each write of a kind, added in its transaction.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Events {
    /// For each row that is created. Default none.
    pub insert: Option<Event>,
    /// For each row that is changed. Default none.
    pub update: Option<Event>,
    /// For each row that is deleted. Default none.
    pub delete: Option<Event>,
}

/// Which job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its queue. No default.
    pub queue: QueueName,
    /// Its name, which says what is to be done. No default.
    pub job: String,
}

impl Events {
    /// Whether no job follows anything.
    pub const fn is_empty(&self) -> bool {
        self.insert.is_none() && self.update.is_none() && self.delete.is_none()
    }
}

pub(super) fn events(section: &Section<'_, '_>) -> Events {
    let one = |key| section.section(key).and_then(|section| event(&section));
    let events = Events {
        insert: one("insert"),
        update: one("update"),
        delete: one("delete"),
    };
    section.finish();
    events
}

fn event(section: &Section<'_, '_>) -> Option<Event> {
    let queue = section.required("queue", |text| {
        QueueName::new(text).map_err(|_| {
            Invalid::expected("a queue name: 1 to 128 bytes, no colon, no control characters")
        })
    });
    let job = section.required("job", |text| match values::name(text) {
        Ok(name) if name.len() <= 255 => Ok(name),
        _ => Err(Invalid::expected("the name of a job: 1 to 255 bytes")),
    });
    section.finish();
    Some(Event {
        queue: queue?,
        job: job?,
    })
}
