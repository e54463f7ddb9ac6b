use redis::Value;
use serde_json::json;
use serde_json::value::RawValue;

use super::add::push_job;
use super::finish::fail_parents;
use super::job_options::failure_name;
use super::keys::lock_value;
use super::reply::{Parts, list, text};
use super::script::{Call, FLOW};
use super::store::{LIBRARY, Store};
use crate::clock::Timestamp;
use crate::engine::Lease;
use crate::engine::checks::{check_children, check_flow, refuse_groups};
use crate::error::{AddError, EngineError};
use crate::flow::{AddedFlow, Children, Flow, JobRef};
use crate::names::{JobId, QueueName};

/// Children told of each kind.
const MOST_CHILDREN: usize = 10_000;

/// A job of a flow, before its children.
struct Node<'a> {
    flow: &'a Flow,
    id: JobId,
    /// The number of its parent, from 1; 0 for the active job that adds it, nothing for a root.
    over: Option<usize>,
}

/// Adds a tree of jobs, all or none.
pub(super) async fn add(store: &Store, flow: &Flow) -> Result<AddedFlow, AddError> {
    check_flow(flow, &store.settings.limits)?;
    let added = add_all(store, &flow.queue, None, std::slice::from_ref(flow)).await?;
    Ok(added
        .into_iter()
        .next()
        .ok_or(EngineError::Damaged("answer"))?)
}

/// Adds children to the job under `lease`.
pub(super) async fn add_children(
    store: &Store,
    lease: &Lease,
    children: &[Flow],
) -> Result<Vec<AddedFlow>, AddError> {
    check_children(children, &store.settings.limits)?;
    add_all(store, &lease.queue, Some(lease), children).await
}

async fn add_all(
    store: &Store,
    queue: &QueueName,
    holder: Option<&Lease>,
    flows: &[Flow],
) -> Result<Vec<AddedFlow>, AddError> {
    let mut nodes = Vec::new();
    for flow in flows {
        collect(flow, holder.map(|_| 0), store.now(), &mut nodes);
    }
    refuse_groups(nodes.iter().map(|node| &node.flow.job.options))?;
    for node in &nodes {
        store.note(&node.flow.queue);
    }
    let mut call = store
        .script(&FLOW, queue)
        .arg(store.now().as_millis())
        .arg(LIBRARY)
        .arg(nodes.len())
        .arg(holder.map_or("", |lease| lease.id.as_str()))
        .arg(holder.map(lock_value).unwrap_or_default());
    for node in &nodes {
        push(store, &mut call, node, &nodes, holder);
    }
    let mut answer = Parts::of(store.call(queue, &call).await?);
    match answer.text()?.as_str() {
        "added" => {}
        "lost" => return Err(AddError::LeaseLost),
        "cycle" => {
            return Err(AddError::OptionConflict(
                "a job of the flow would wait for itself: its child has the id of a job above it",
            ));
        }
        "conflict" => {
            return Err(AddError::IdempotencyConflict {
                job: JobId::lookup(answer.text()?),
            });
        }
        "taken" => {
            let base = answer.text()?;
            let id = JobId::lookup(answer.text()?);
            return Err(taken(store, &base, id));
        }
        _ => return Err(EngineError::Damaged("answer").into()),
    }
    fail_parents(store, answer.next()?).await?;
    let mut added = Parts::of(answer.next()?);
    let mut ids = Vec::with_capacity(nodes.len());
    while !added.is_empty() {
        ids.push((JobId::lookup(added.text()?), added.int()?));
    }
    let mut ids = ids.into_iter();
    let added: Option<Vec<AddedFlow>> = flows.iter().map(|flow| tree(flow, &mut ids)).collect();
    Ok(added.ok_or(EngineError::Damaged("answer"))?)
}

fn collect<'a>(flow: &'a Flow, over: Option<usize>, now: Timestamp, nodes: &mut Vec<Node<'a>>) {
    let id = flow
        .job
        .options
        .id
        .clone()
        .unwrap_or_else(|| JobId::fresh(now));
    nodes.push(Node { flow, id, over });
    let number = nodes.len();
    for child in &flow.children {
        collect(child, Some(number), now, nodes);
    }
}

/// The sixteen values of a job.
fn push(
    store: &Store,
    call: &mut Call,
    node: &Node<'_>,
    nodes: &[Node<'_>],
    holder: Option<&Lease>,
) {
    let parent = match node.over {
        Some(0) => holder.map(|lease| (&lease.queue, &lease.id)),
        Some(number) => nodes
            .get(number - 1)
            .map(|parent| (&parent.flow.queue, &parent.id)),
        None => None,
    };
    call.push(store.keys.base(&node.flow.queue))
        .push(node.over.map(|over| over.to_string()).unwrap_or_default())
        .push(i32::from(!node.flow.children.is_empty()))
        .push(
            parent
                .map(|(queue, id)| parent_text(store, queue, id, node.flow))
                .unwrap_or_default(),
        );
    push_job(call, &node.id, &node.flow.job);
}

/// What a child stores of its parent.
fn parent_text(store: &Store, queue: &QueueName, id: &JobId, child: &Flow) -> String {
    let queue_key = format!("{}:{queue}", store.keys.prefix());
    let mut parent = json!({ "id": id.as_str(), "queueKey": queue_key });
    if let Some(name) = failure_name(child.job.options.on_failure) {
        parent[name] = json!(true);
    }
    parent.to_string()
}

fn taken(store: &Store, base: &str, id: JobId) -> AddError {
    match store.keys.queue_of_base(base) {
        Some(queue) => AddError::ChildTaken { queue, id },
        None => EngineError::Damaged("answer").into(),
    }
}

/// The tree with the ids it got. Nothing below a job that was there was added.
fn tree(flow: &Flow, ids: &mut impl Iterator<Item = (JobId, i64)>) -> Option<AddedFlow> {
    let (id, how) = ids.next()?;
    let queue = flow.queue.clone();
    let children: Option<Vec<_>> = flow.children.iter().map(|child| tree(child, ids)).collect();
    let existing = how == 1;
    Some(AddedFlow {
        job: JobRef { queue, id },
        existing,
        children: if existing { Vec::new() } else { children? },
    })
}

/// How the children of a job stand.
pub(super) async fn children(
    store: &Store,
    queue: &QueueName,
    id: &JobId,
) -> Result<Option<Children>, EngineError> {
    let key = store.keys.of(queue, id.as_str());
    let mut all = redis::pipe();
    all.cmd("EXISTS").arg(&key);
    all.cmd("SMEMBERS").arg(format!("{key}:dependencies"));
    all.cmd("HGETALL").arg(format!("{key}:processed"));
    all.cmd("HGETALL").arg(format!("{key}:failed"));
    all.cmd("ZRANGE")
        .arg(format!("{key}:unsuccessful"))
        .arg(0)
        .arg(MOST_CHILDREN - 1);
    let mut answers = store.link.pipeline(&all).await?.into_iter();
    if answers.next() != Some(Value::Int(1)) {
        return Ok(None);
    }
    let mut next = || answers.next().map(list).unwrap_or_default();
    let refs = |keys: Vec<Value>| -> Vec<JobRef> {
        let keys = keys.into_iter().filter_map(text).take(MOST_CHILDREN);
        keys.filter_map(|key| store.keys.job_ref(&key)).collect()
    };
    let pending = refs(next());
    let completed = pairs(store, next())
        .filter_map(|(job, value)| Some((job, RawValue::from_string(value).ok()?)))
        .collect();
    let ignored = pairs(store, next()).collect();
    let failed = refs(next());
    Ok(Some(Children {
        pending,
        completed,
        ignored,
        failed,
    }))
}

/// Jobs and what is noted with them.
fn pairs(store: &Store, flat: Vec<Value>) -> impl Iterator<Item = (JobRef, String)> {
    let mut parts = flat.into_iter();
    let pairs = std::iter::from_fn(move || Some((parts.next()?, parts.next()?)));
    pairs
        .filter_map(|(key, value)| Some((store.keys.job_ref(&text(key)?)?, text(value)?)))
        .take(MOST_CHILDREN)
}
