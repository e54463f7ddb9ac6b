//! The live stream: changes of rows and events of jobs.
//!
//! An event's topic decides who gets it: `resource/{path}` those who may read the resource, `owner/{path}/{who}`
//! whoever owns the row, where only they may read it, `jobs` those who
//! may add jobs (without the job's id), `job/{queue}/{id}` those of them who name the job: its id is what
//! lets them.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::ACCEPT;
use http::{HeaderMap, Uri};
use paceline_data::Value;
use paceline_data::plan::format_key;
use paceline_data::query::{QueryErrorCode, parse_parameters};
use paceline_data::resource::Resource;
use paceline_data::write::{Change, ChangeKind};
use paceline_http::problem::Problem;
use paceline_http::stream::sse::{Broadcaster, EventName, Filter, Options, last_event_id};
use paceline_jobs::{EngineHandle, JobEvent, QueueName, Received};
use serde_json::json;

use super::resource::failure;
use super::source::Source;
use crate::config;

/// Rows created together of which each is told.
const TOLD_ONE_BY_ONE: usize = 100;

/// Publishes what happens. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Live {
    broadcaster: Broadcaster,
    change: EventName,
    job: EventName,
}

/// Rows that were created together, as far as they are told of: the first ones, and how many are whose.
#[derive(Debug, Default)]
pub(super) struct Created {
    first: Vec<Change>,
    topics: BTreeMap<String, usize>,
    count: usize,
}

impl Created {
    /// Adds rows.
    pub(super) fn add(&mut self, resource: &Resource, changes: Vec<Change>) {
        self.count += changes.len();
        for change in &changes {
            if let Some(topic) = topic_of(resource, change) {
                *self.topics.entry(topic).or_default() += 1;
            }
        }
        let room = TOLD_ONE_BY_ONE.saturating_sub(self.first.len());
        self.first.extend(changes.into_iter().take(room));
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }
}

impl Live {
    /// A stream with these settings.
    pub(super) fn new(settings: &config::Stream) -> Self {
        let buffer = usize::try_from(settings.buffer.get()).unwrap_or(usize::MAX);
        let options = Options::default()
            .with_buffer_events(buffer.try_into().expect("the setting is not zero"))
            .with_max_clients(usize::try_from(settings.max_clients.get()).unwrap_or(usize::MAX))
            .with_heartbeat(settings.heartbeat);
        let name = |text| EventName::new(text).expect("a plain word");
        Self {
            broadcaster: Broadcaster::new(options),
            change: name("change"),
            job: name("job"),
        }
    }

    /// Tells of a row that was written.
    pub(super) fn tell_change(&self, resource: &Resource, change: &Change) {
        let path = &resource.path;
        let kind = match change.kind {
            ChangeKind::Created => "created",
            ChangeKind::Updated => "updated",
            ChangeKind::Deleted => "deleted",
            _ => return,
        };
        let data = json!({"resource": path, "key": format_key(&change.key), "kind": kind});
        if let Some(topic) = topic_of(resource, change) {
            self.publish(topic, &self.change, &data);
        }
    }

    /// Tells of rows that were created together: each of a few, else how many, to everybody whose some are.
    pub(super) fn tell_created(&self, resource: &Resource, created: &Created) {
        if created.count <= TOLD_ONE_BY_ONE {
            for change in &created.first {
                self.tell_change(resource, change);
            }
            return;
        }
        for (topic, count) in &created.topics {
            let data = json!({"resource": resource.path, "kind": "created", "count": count});
            self.publish(topic.clone(), &self.change, &data);
        }
    }

    /// Tells of the jobs of a queue from now on, until the engine is gone. Other queues of the store are
    /// not served, and nothing is told of them.
    pub(super) fn follow_jobs(&self, engine: &EngineHandle, queue: QueueName) {
        let live = self.clone();
        let mut events = engine.events(None);
        tokio::spawn(async move {
            while let Some(received) = events.next().await {
                match received {
                    Received::Event(event) if event.queue == queue => live.tell_job(&event),
                    Received::Event(_) => {}
                    Received::Lagged(missed) => {
                        tracing::warn!(missed, "the live stream missed job events");
                    }
                    Received::Gap => tracing::warn!("the live stream may have missed job events"),
                }
            }
        });
    }

    fn tell_job(&self, event: &JobEvent) {
        let outline = json!({"queue": event.queue, "event": event.event});
        self.publish("jobs".to_owned(), &self.job, &outline);
        if let Some(id) = &event.id {
            let topic = format!("job/{}/{}", event.queue, id);
            match serde_json::to_value(event) {
                Ok(whole) => self.publish(topic, &self.job, &whole),
                Err(error) => tracing::error!(%error, "a job event has no JSON form"),
            }
        }
    }

    fn publish(&self, topic: String, name: &EventName, data: &serde_json::Value) {
        if let Err(error) = self.broadcaster.publish_to(topic, name, data.to_string()) {
            tracing::debug!(%error, "an event was not published");
        }
    }

    /// Ends all streams once their clients have what was published.
    pub(super) fn drain(&self) {
        self.broadcaster.drain();
    }
}

/// Who is told of a change; `None` for nobody.
fn topic_of(resource: &Resource, change: &Change) -> Option<String> {
    match (&change.owner, resource.owners.told()) {
        (Some(owner), Some(_)) => Some(topic_of_owner(resource, owner)),
        (None, Some(_)) => None,
        (_, None) => Some(format!("resource/{}", resource.path)),
    }
}

/// The topic of what is told to the owner of a row alone.
fn topic_of_owner(resource: &Resource, owner: &Value) -> String {
    format!(
        "owner/{}/{}",
        resource.path,
        format_key(std::slice::from_ref(owner))
    )
}

/// What somebody is told of the changes of a resource's rows; `None` for nothing.
fn topic_for(source: &Source, resource: &Resource, headers: &HeaderMap) -> Option<String> {
    let Some(column) = resource.owners.told() else {
        return Some(format!("resource/{}", resource.path));
    };
    let column = &source.resources.table_of(resource).columns[column];
    let owner = source.viewer(headers)?.value_in(column)?;
    Some(topic_of_owner(resource, &owner))
}

/// Who is told of jobs: those who may add them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JobEvents {
    /// No queue is served.
    Nobody,
    /// Those with a login token.
    TokenHolders,
    /// Everybody.
    Everybody,
}

/// What the route needs.
#[derive(Debug, Clone)]
pub(super) struct StreamRoute {
    pub(super) source: Arc<Source>,
    pub(super) live: Live,
    pub(super) jobs: JobEvents,
}

/// `GET /api/stream`.
pub(super) async fn stream(
    State(StreamRoute { source, live, jobs }): State<StreamRoute>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut topics: Vec<String> = source
        .readable(&headers)
        .filter_map(|resource| topic_for(&source, resource, &headers))
        .collect();
    let allowed = match jobs {
        JobEvents::TokenHolders => source.check_token(&headers),
        JobEvents::Nobody | JobEvents::Everybody => Ok(()),
    };
    if allowed.is_ok() {
        topics.push("jobs".to_owned());
    }
    let parameters = parse_parameters(uri.query().unwrap_or_default());
    for parameter in parameters.map_err(|error| failure::query(&error))? {
        if parameter.name != "job" {
            return Err(Problem::invalid_parameter(
                parameter.name,
                "The stream takes the parameter job=queue/id only.",
            )
            .with_code(QueryErrorCode::UnknownParameter.as_str()));
        }
        if !parameter.value.contains('/') {
            return Err(Problem::invalid_parameter(
                "job",
                "Name a job as queue/id, as in its address.",
            ));
        }
        allowed.clone()?;
        topics.push(format!("job/{}", parameter.value));
    }
    let filter = Filter::all().with_topics(topics);
    let last = last_event_id(&headers);
    match live.broadcaster.subscribe(last.as_deref(), filter) {
        Ok(subscription) => Ok(subscription.into_body().into_response()),
        Err(refused) if asks_for_events(&headers) => Ok(refused.into_event_stream().map(Body::new)),
        Err(refused) => Err(refused.into()),
    }
}

/// Whether this is an `EventSource`, which gives up for good on a 503: it is told when to come back instead.
fn asks_for_events(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).is_some_and(|accepted| {
        accepted
            .as_bytes()
            .eq_ignore_ascii_case(b"text/event-stream")
    })
}
