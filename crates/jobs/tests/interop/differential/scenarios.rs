//! What is done on both sides. Each scenario has queues of its own.

use serde_json::json;

use super::operation::{Deduplication, OnFailure, Operation, Options, Tree};
use Operation::{
    Add, Bulk, CleanCompleted, Complete, Concurrency, Data, Delay, Drain, Fail, FailForGood, FailWithParents, Flow,
    HandBack, Log, LoseLease, Obliterate, Pause, Postpone, Priority, Promote, PromoteAll, Rate, Remove,
    RemoveScheduler, Report, Resume, Retry, RetryAll, Sweep, Upsert, UpsertPriority,
};

/// A name and what is done.
pub(super) type Scenario = (&'static str, Vec<Operation>);

const TAKE: Operation = Operation::Take { children: false };
const TAKE_CHILD: Operation = Operation::Take { children: true };

fn plain() -> Options {
    Options::default()
}

fn priority(priority: u32) -> Options {
    Options { priority, ..plain() }
}

fn delay(delay: u64) -> Options {
    Options { delay, ..plain() }
}

fn attempts(attempts: u32, backoff: Option<u64>) -> Options {
    Options { attempts, backoff, ..plain() }
}

fn same(deduplication: Deduplication) -> Options {
    Options { deduplication: Some(deduplication), ..plain() }
}

/// All scenarios.
pub(super) fn all() -> Vec<Scenario> {
    [adding(), ending(), deduplicating(), managing(), flowing(), scheduling()].concat()
}

fn adding() -> Vec<Scenario> {
    let id = || Options { id: Some("order-1"), ..plain() };
    let lifo = || Options { lifo: true, ..plain() };
    vec![
        ("add", vec![Add("a", plain()), Add("b", plain()), Add("c", lifo()), TAKE, TAKE, TAKE, TAKE]),
        ("add-priority", vec![
            Add("a", priority(3)), Add("b", priority(1)), Add("c", priority(3)), Add("d", plain()),
            TAKE, TAKE, TAKE, TAKE, TAKE, Add("e", priority(2_097_151)),
        ]),
        ("add-delay", vec![Add("a", delay(60)), Add("b", delay(20)), Add("c", delay(20)), TAKE, Promote("c"), TAKE]),
        ("add-id", vec![Add("a", id()), Add("b", id()), TAKE, Add("c", id()), Complete("a", json!(1)), Add("d", id())]),
        ("add-bulk", vec![Bulk(vec![("a", plain()), ("b", priority(2)), ("c", delay(30)), ("d", lifo())]), TAKE, TAKE, TAKE]),
        ("add-retry-options", vec![Add("a", attempts(5, Some(10)))]),
        ("add-paused", vec![
            Pause, Add("a", plain()), Add("b", priority(1)), Add("c", delay(10)), TAKE, Resume, TAKE, TAKE, Pause, Resume,
        ]),
    ]
}

fn ending() -> Vec<Scenario> {
    let removed = || Options { removed: true, ..plain() };
    let kept = || Options { kept: Some(2), ..plain() };
    vec![
        ("complete", vec![
            Add("a", plain()), TAKE, Report("a", json!({ "done": 50 })), Log("a", "one"), Log("a", "two"),
            Complete("a", json!({ "list": [], "text": "ž" })),
        ]),
        ("complete-null", vec![Add("a", plain()), Add("b", plain()), TAKE, Complete("a", json!(null)), TAKE, Complete("b", json!("text"))]),
        ("fail", vec![Add("a", plain()), TAKE, Fail("a", "broken"), Retry("a"), TAKE, Complete("a", json!(1))]),
        ("fail-for-good", vec![Add("a", attempts(5, None)), TAKE, FailForGood("a", "no use")]),
        ("retry-now", vec![
            Add("a", attempts(3, None)), Add("b", plain()), TAKE, Fail("a", "first"), TAKE, TAKE, Fail("a", "second"), TAKE, Fail("a", "third"),
        ]),
        ("retry-later", vec![
            Add("a", attempts(3, Some(10))), TAKE, Fail("a", "first"), Promote("a"), TAKE, Fail("a", "second"), TAKE,
        ]),
        ("retry-priority", vec![
            Add("a", Options { attempts: 2, ..priority(5) }), Add("b", priority(5)), TAKE, Fail("a", "first"), TAKE, TAKE,
        ]),
        ("stalled", vec![
            Add("a", plain()), Add("b", plain()), TAKE, Sweep, LoseLease("a"), Sweep, TAKE, Complete("a", json!(1)),
        ]),
        ("stalled-priority", vec![Add("a", priority(5)), TAKE, Sweep, LoseLease("a"), Sweep, TAKE]),
        ("stalled-not", vec![Add("a", plain()), TAKE, Sweep, Sweep, Complete("a", json!(1)), Sweep]),
        ("hand-back", vec![Add("a", plain()), Add("b", plain()), TAKE, HandBack("a"), TAKE]),
        ("hand-back-priority", vec![Add("a", priority(5)), Add("b", priority(5)), TAKE, HandBack("a"), TAKE]),
        ("postpone", vec![Add("a", plain()), TAKE, Postpone("a", 30), Promote("a"), TAKE, Complete("a", json!(1))]),
        ("remove-finished", vec![Add("a", removed()), Add("b", removed()), TAKE, Complete("a", json!(1)), TAKE, Fail("b", "broken")]),
        ("keep-two", vec![
            Add("a", kept()), Add("b", kept()), Add("c", kept()), TAKE, Complete("a", json!(1)), TAKE, Complete("b", json!(2)),
            TAKE, Complete("c", json!(3)),
        ]),
    ]
}

fn deduplicating() -> Vec<Scenario> {
    let simple = || same(Deduplication { id: "d", ..Deduplication::default() });
    let throttle = |extend| same(Deduplication { id: "d", ttl: Some(10), extend, ..Deduplication::default() });
    let replace = || Options {
        delay: 20,
        ..same(Deduplication { id: "d", ttl: Some(20), extend: true, replace: true, ..Deduplication::default() })
    };
    let last = || same(Deduplication { id: "d", keep_last_if_active: true, ..Deduplication::default() });
    vec![
        ("dedup-simple", vec![Add("a", simple()), Add("b", simple()), TAKE, Add("c", simple()), Complete("a", json!(1)), Add("d", simple())]),
        ("dedup-removed", vec![Add("a", simple()), Remove("a"), Add("b", simple())]),
        ("dedup-throttle", vec![Add("a", throttle(false)), Add("b", throttle(false)), TAKE, Complete("a", json!(1)), Add("c", throttle(false))]),
        ("dedup-extend", vec![Add("a", throttle(true)), Add("b", throttle(true))]),
        ("dedup-replace", vec![Add("a", replace()), Add("b", replace()), Promote("b"), Add("c", replace())]),
        ("dedup-last", vec![Add("a", last()), TAKE, Add("b", last()), Add("c", last()), Complete("a", json!(1)), TAKE, Complete("kept", json!(2))]),
    ]
}

fn managing() -> Vec<Scenario> {
    let three = || vec![Add("a", plain()), Add("b", priority(2)), Add("c", delay(10))];
    let failed = || vec![Add("a", plain()), Add("b", priority(4)), TAKE, Fail("a", "x"), TAKE, Fail("b", "y")];
    vec![
        ("remove", [three(), vec![Remove("a"), Remove("b"), Remove("c")]].concat()),
        ("remove-active", vec![Add("a", plain()), TAKE, Remove("a")]),
        ("remove-finished-by-hand", vec![Add("a", plain()), TAKE, Log("a", "x"), Complete("a", json!(1)), Remove("a")]),
        ("retry-all", [failed(), vec![RetryAll, TAKE]].concat()),
        ("promote-all", vec![Add("a", delay(10)), Add("b", Options { delay: 20, ..priority(3) }), PromoteAll, TAKE]),
        ("drain", [three(), vec![Drain { delayed: false }, Drain { delayed: true }]].concat()),
        ("clean", vec![Add("a", plain()), Add("b", plain()), TAKE, Complete("a", json!(1)), CleanCompleted]),
        ("obliterate", [three(), vec![TAKE, Complete("a", json!(1)), Pause, Obliterate]].concat()),
        ("change-priority", vec![
            Add("a", plain()), Add("b", priority(2)), Priority("a", 3), Priority("b", 4), TAKE, Priority("b", 0), TAKE,
        ]),
        ("change-delay", vec![Add("a", delay(10)), Delay("a", 40), Delay("a", 0), Add("b", plain()), Delay("b", 10)]),
        ("change-data", vec![Add("a", plain()), Data("a", json!({ "new": [] })), TAKE]),
        ("concurrency", vec![Concurrency(Some(1)), Add("a", plain()), Add("b", plain()), TAKE, TAKE, Concurrency(None), TAKE]),
        ("rate", vec![Rate(1), Add("a", plain()), Add("b", plain()), TAKE, TAKE]),
        ("promote-waiting", vec![Add("a", plain()), Promote("a"), Retry("a")]),
    ]
}

fn leaf(label: &'static str, on_failure: Option<OnFailure>) -> Tree {
    Tree {
        label,
        options: Options { on_failure, ..plain() },
        children: Vec::new(),
    }
}

fn pair(on_failure: Option<OnFailure>) -> Operation {
    Flow(Tree {
        label: "p",
        options: plain(),
        children: vec![leaf("a", on_failure), leaf("b", None)],
    })
}

fn flowing() -> Vec<Scenario> {
    let one_fails = |failure| vec![
        pair(failure), TAKE_CHILD, FailForGood("a", "broken"), TAKE_CHILD, Complete("b", json!(2)), TAKE,
    ];
    let nested = Flow(Tree {
        label: "p",
        options: priority(3),
        children: vec![Tree {
            label: "m",
            options: Options { on_failure: Some(OnFailure::Fail), ..plain() },
            children: vec![leaf("a", Some(OnFailure::Fail))],
        }],
    });
    let delayed = Flow(Tree { label: "p", options: delay(10), children: vec![leaf("a", None)] });
    vec![
        ("flow", vec![
            pair(None), TAKE, TAKE_CHILD, Complete("a", json!(1)), TAKE_CHILD, Complete("b", json!({ "n": 2 })), TAKE, Complete("p", json!(3)),
        ]),
        ("flow-fails", one_fails(None)),
        ("flow-fail-parent", vec![pair(Some(OnFailure::Fail)), TAKE_CHILD, FailWithParents("a", "broken"), TAKE_CHILD, TAKE]),
        ("flow-continue", one_fails(Some(OnFailure::Continue))),
        ("flow-ignore", one_fails(Some(OnFailure::Ignore))),
        ("flow-remove", one_fails(Some(OnFailure::Remove))),
        ("flow-nested", vec![nested, TAKE_CHILD, FailWithParents("a", "broken"), TAKE_CHILD, TAKE]),
        ("flow-delayed-parent", vec![delayed, TAKE_CHILD, Complete("a", json!(1)), TAKE]),
        ("flow-child-removed", vec![pair(None), TAKE_CHILD, Complete("a", json!(1)), Remove("b"), TAKE]),
        ("flow-child-retried", vec![
            pair(Some(OnFailure::Ignore)), TAKE_CHILD, FailForGood("a", "broken"), Retry("a"), TAKE_CHILD, Complete("b", json!(1)), TAKE,
        ]),
        ("flow-parent-removed", vec![pair(None), Remove("p")]),
    ]
}

fn scheduling() -> Vec<Scenario> {
    vec![
        ("schedule", vec![Upsert("s", 60), Upsert("s", 60)]),
        ("schedule-changed", vec![Upsert("s", 60), Upsert("s", 20)]),
        ("schedule-removed", vec![Upsert("s", 60), RemoveScheduler("s"), RemoveScheduler("s")]),
        ("schedule-removed-priority", vec![UpsertPriority("s", 60, 3), RemoveScheduler("s")]),
        ("schedule-removed-later", vec![Upsert("s", 60), TAKE, RemoveScheduler("s"), Complete("iteration", json!(1))]),
        ("schedule-taken", vec![Upsert("s", 60), TAKE]),
    ]
}
