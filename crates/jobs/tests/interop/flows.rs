//! Trees of jobs made by one side and run by the other.

use paceline_jobs::{
    ChildFailure, Flow, Job, JobError, JobId, JobOptions, Outcome, Queue, QueueName, State, Worker,
};
use serde_json::{Value, json};

use crate::ours::OurWorker;
use crate::world::{World, eventually, text, value, we_see};

const PARENTS: &str = "parents";
const CHILDREN: &str = "children";

/// A parent that answers with its children's results, over two queues; Node's words for it.
fn node_tree(children: &[Value]) -> Value {
    let child = |child: &Value| json!({ "name": "child", "queueName": CHILDREN, "data": child["data"], "opts": child["opts"] });
    let children: Vec<Value> = children.iter().map(child).collect();
    let data = json!({ "children": true });
    json!({ "tree": { "name": "parent", "queueName": PARENTS, "data": data, "children": children } })
}

/// The same in ours.
fn our_tree(children: impl IntoIterator<Item = (Value, JobOptions)>) -> Flow {
    let parent = json!({ "children": true });
    let parent = Flow::new(PARENTS, "parent", &parent, JobOptions::new()).unwrap();
    children
        .into_iter()
        .fold(parent, |parent, (data, options)| {
            parent.child(Flow::new(CHILDREN, "child", &data, options).unwrap())
        })
}

fn we_work(world: &World) -> [OurWorker; 2] {
    [PARENTS, CHILDREN].map(|queue| OurWorker::start(&world.engine, queue, 2))
}

async fn node_works(world: &World) {
    for queue in [PARENTS, CHILDREN] {
        let command = json!({ "worker": queue, "queue": queue, "concurrency": 2 });
        world.node.call("work", command).await;
    }
}

async fn parent_seen_by_node(world: &World, id: &str, state: &str) -> Value {
    eventually(&format!("Node to see parent {id} {state}"), async || {
        let job = json!({ "queue": PARENTS, "job": id });
        let job = world.node.call("job", job).await;
        (job["state"] == state).then_some(job)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tree_of_node_runs_on_our_workers() {
    let world = World::new().await;
    let children = [
        json!({ "data": { "answer": 1 } }),
        json!({ "data": { "answer": 2 } }),
    ];
    let added = world.node.call("flow", node_tree(&children)).await;
    let id = text(&added["id"]);
    let parents = QueueName::new(PARENTS).unwrap();
    let standing = world
        .engine
        .children(&parents, &JobId::lookup(&id))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((standing.pending.len(), standing.completed.len()), (2, 0));
    assert_eq!(
        parent_seen_by_node(&world, &id, "waiting-children").await["id"],
        *id
    );
    let _workers = we_work(&world);
    let parent = parent_seen_by_node(&world, &id, "completed").await;
    assert_eq!(parent["returnvalue"], json!([1, 2]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tree_of_ours_runs_on_workers_of_node() {
    let world = World::new().await;
    let children = [1, 2].map(|n| (json!({ "answer": n }), JobOptions::new()));
    let added = world.engine.add_flow(our_tree(children)).await.unwrap();
    let id = added.job.id.as_str();
    let tree = world
        .node
        .call("tree", json!({ "queue": PARENTS, "job": id }))
        .await;
    let mut ids: Vec<String> = tree["children"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| text(&it["id"]))
        .collect();
    let mut expected: Vec<String> = added
        .children
        .iter()
        .map(|it| it.job.id.to_string())
        .collect();
    ids.sort_unstable();
    expected.sort_unstable();
    assert_eq!(ids, expected, "Node finds the children");
    node_works(&world).await;
    let parent = we_see(&world.engine, PARENTS, id, |job| {
        job.state == State::Completed
    })
    .await;
    assert_eq!(parent.result.unwrap().get(), "[1,2]");
}

/// How the parent ends when one child fails and another completes with 1.
struct Failure {
    ours: ChildFailure,
    node: Option<&'static str>,
    /// The parent's state in the end.
    parent: State,
}

/// The default leaves the parent waiting; all others let it go on or fail it.
const FAILURES: [Failure; 5] = [
    Failure {
        ours: ChildFailure::ParentWaits,
        node: None,
        parent: State::WaitingChildren,
    },
    Failure {
        ours: ChildFailure::FailParent,
        node: Some("failParentOnFailure"),
        parent: State::Failed,
    },
    Failure {
        ours: ChildFailure::ContinueParent,
        node: Some("continueParentOnFailure"),
        parent: State::Completed,
    },
    Failure {
        ours: ChildFailure::IgnoreDependency,
        node: Some("ignoreDependencyOnFailure"),
        parent: State::Completed,
    },
    Failure {
        ours: ChildFailure::RemoveDependency,
        node: Some("removeDependencyOnFailure"),
        parent: State::Completed,
    },
];

/// Each side has words of its own; both say which child it was.
fn names_the_child(reason: &str, child: &str) {
    assert!(
        reason.contains(child) && reason.contains("failed"),
        "{reason}"
    );
}

fn failing() -> Value {
    json!({ "fail": { "times": 9, "message": "broken" } })
}

/// The parent is where it should be, and so are the reasons.
async fn check(world: &World, parent: &str, child: &str, failure: &Failure) {
    let why = format!("{:?}", failure.ours);
    // The failing child is done before its parent stays where it is for good.
    we_see(&world.engine, CHILDREN, child, |job| {
        job.state == State::Failed
    })
    .await;
    let job = we_see(&world.engine, PARENTS, parent, |job| {
        job.state == failure.parent
    })
    .await;
    let seen = parent_seen_by_node(world, parent, failure.parent.as_str()).await;
    if failure.parent == State::Failed {
        names_the_child(job.failed_reason.as_deref().unwrap(), child);
        assert_eq!(seen["failedReason"].as_str(), job.failed_reason.as_deref());
    }
    let queue = QueueName::new(PARENTS).unwrap();
    let children = world
        .engine
        .children(&queue, &JobId::lookup(parent))
        .await
        .unwrap()
        .unwrap();
    let ignored: Vec<&str> = children
        .ignored
        .iter()
        .map(|(_, reason)| &**reason)
        .collect();
    let expected: &[&str] = match failure.ours {
        ChildFailure::ContinueParent | ChildFailure::IgnoreDependency => &["broken"],
        _ => &[],
    };
    assert_eq!(ignored, expected, "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_child_of_node_means_the_same_on_our_workers() {
    for failure in &FAILURES {
        let world = World::new().await;
        let options = failure
            .node
            .map_or_else(|| json!({}), |name| json!({ name: true }));
        let children = [
            json!({ "data": { "answer": 1 } }),
            json!({ "data": failing(), "opts": options }),
        ];
        let added = world.node.call("flow", node_tree(&children)).await;
        let _workers = we_work(&world);
        let (parent, child) = (text(&added["id"]), text(&added["children"][1]["id"]));
        check(&world, &parent, &child, failure).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_child_of_ours_means_the_same_on_workers_of_node() {
    for failure in &FAILURES {
        let world = World::new().await;
        let options = JobOptions::new().on_failure(failure.ours);
        let tree = our_tree([
            (json!({ "answer": 1 }), JobOptions::new()),
            (failing(), options),
        ]);
        let added = world.engine.add_flow(tree).await.unwrap();
        node_works(&world).await;
        let child = added.children[1].job.id.as_str();
        check(&world, added.job.id.as_str(), child, failure).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn failure_climbs_through_a_tree_worked_by_both() {
    let world = World::new().await;
    let strict = || JobOptions::new().on_failure(ChildFailure::FailParent);
    let leaf = Flow::new(CHILDREN, "leaf", &failing(), strict()).unwrap();
    let middle = Flow::new("middle", "middle", &json!({}), strict())
        .unwrap()
        .child(leaf);
    let root = Flow::new(PARENTS, "root", &json!({}), JobOptions::new())
        .unwrap()
        .child(middle);
    let added = world.engine.add_flow(root).await.unwrap();
    // Leaf and root with us, the middle with Node.
    let _workers = we_work(&world);
    let command = json!({ "worker": "middle", "queue": "middle" });
    world.node.call("work", command).await;
    let root = added.job.id.as_str();
    let middle = &added.children[0].job.id;
    let job = we_see(&world.engine, PARENTS, root, |job| {
        job.state == State::Failed
    })
    .await;
    names_the_child(&job.failed_reason.unwrap(), middle.as_str());
    assert!(
        world.node.all("ran").is_empty(),
        "the middle fails without being run"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn our_handler_waits_for_children_it_adds_and_node_runs_them() {
    let world = World::new().await;
    let command = json!({ "worker": "node", "queue": CHILDREN });
    world.node.call("work", command).await;
    let parents: Queue<Value> = Queue::new(&world.engine, PARENTS).unwrap();
    let worker = Worker::builder(parents.clone()).start(async |job: Job<Value>| {
        let children = job.children().await?;
        if children.completed.is_empty() {
            let child = json!({ "answer": "from node" });
            let child = Flow::new(CHILDREN, "child", &child, JobOptions::new())?;
            job.add_children(vec![child]).await?;
            return Ok::<_, JobError>(Outcome::WaitForChildren);
        }
        Ok(Outcome::Completed(value(&children.completed[0].1)))
    });
    let id = parents.add("parent", &json!({})).await.unwrap().id;
    let parent = parent_seen_by_node(&world, id.as_str(), "completed").await;
    assert_eq!(parent["returnvalue"], "from node");
    assert_eq!(parent["attemptsMade"], 1, "the wait used no attempt");
    drop(worker);
}
