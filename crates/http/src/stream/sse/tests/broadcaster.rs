//! Publishing, subscribing, filters, bounds and the end.

use std::num::NonZeroUsize;

use super::super::{
    Broadcaster, Delivery, Filter, LagPolicy, Options, PublishError, ResetReason, SubscribeError,
    Subscription,
};
use super::{broadcaster, name};

/// What `subscription` has ready, as text: `3` for an event, `reset(gap)@2` for a reset, `end`.
fn ready(subscription: &mut Subscription) -> Vec<String> {
    let mut found = Vec::new();
    let mut task = tokio_test_task();
    while let std::task::Poll::Ready(delivery) = poll(subscription, &mut task) {
        match delivery {
            Some(Delivery::Event(event)) => found.push(event.id().sequence.to_string()),
            Some(Delivery::Reset(reset)) => {
                found.push(format!(
                    "reset({})@{}",
                    reset.reason.as_str(),
                    reset.id.sequence
                ));
            }
            None => {
                found.push("end".to_owned());
                break;
            }
        }
    }
    found
}

fn tokio_test_task() -> std::task::Context<'static> {
    std::task::Context::from_waker(std::task::Waker::noop())
}

fn poll(
    subscription: &mut Subscription,
    task: &mut std::task::Context<'_>,
) -> std::task::Poll<Option<Delivery>> {
    futures_core::Stream::poll_next(std::pin::Pin::new(subscription), task)
}

fn publish(broadcaster: &Broadcaster, count: usize) {
    for _ in 0..count {
        broadcaster.publish(&name("n"), "x").unwrap();
    }
}

#[test]
fn a_returning_client_gets_what_it_missed_or_a_reset() {
    let check = |last_event_id: Option<&str>, expected: &[&str]| {
        let broadcaster = broadcaster(3);
        publish(&broadcaster, 5);
        let mut subscription = broadcaster.subscribe(last_event_id, Filter::all()).unwrap();
        publish(&broadcaster, 1);
        assert_eq!(ready(&mut subscription), expected, "{last_event_id:?}");
    };
    check(None, &["6"]);
    check(Some("7-5"), &["6"]);
    check(Some("7-4"), &["5", "6"]);
    check(Some("7-2"), &["reset(lagged)@6"]);
    check(Some("7-1"), &["reset(gap)@5", "6"]);
    check(Some("7-0"), &["reset(gap)@5", "6"]);
    check(Some("6-5"), &["reset(epoch)@5", "6"]);
    check(Some("7-6"), &["reset(unknown-id)@5", "6"]);
    check(
        Some("7-18446744073709551615"),
        &["reset(unknown-id)@5", "6"],
    );
    check(Some(""), &["reset(unknown-id)@5", "6"]);
    check(Some("7-5\n"), &["reset(unknown-id)@5", "6"]);
}

#[test]
fn position_zero_is_before_the_first_event() {
    let broadcaster = broadcaster(3);
    assert_eq!(broadcaster.last_id().to_string(), "7-0");
    publish(&broadcaster, 2);
    let mut subscription = broadcaster.subscribe(Some("7-0"), Filter::all()).unwrap();
    assert_eq!(ready(&mut subscription), ["1", "2"]);
}

#[test]
fn a_slow_client_resets_or_is_disconnected_and_holds_nobody_up() {
    let check = |policy, expected: &[&str]| {
        let options = Options::default()
            .with_buffer_events(NonZeroUsize::new(2).unwrap())
            .with_lag_policy(policy);
        let broadcaster = Broadcaster::with_epoch(options, 7);
        let mut slow = broadcaster.subscribe(None, Filter::all()).unwrap();
        let mut quick = broadcaster.subscribe(None, Filter::all()).unwrap();
        for sequence in 1..=3 {
            publish(&broadcaster, 1);
            assert_eq!(ready(&mut quick), [sequence.to_string()]);
        }
        assert_eq!(ready(&mut slow), expected, "{policy:?}");
    };
    check(LagPolicy::Reset, &["reset(lagged)@3"]);
    check(LagPolicy::Disconnect, &["end"]);
}

#[test]
fn filters_choose_by_name_and_topic() {
    let check = |filter: Filter, expected: &[&str]| {
        let broadcaster = broadcaster(10);
        let mut subscription = broadcaster.subscribe(None, filter).unwrap();
        broadcaster.publish(&name("change"), "").unwrap();
        broadcaster
            .publish_to("posts", &name("change"), "")
            .unwrap();
        broadcaster
            .publish_to("users", &name("change"), "")
            .unwrap();
        broadcaster.publish_to("users", &name("job"), "").unwrap();
        assert_eq!(ready(&mut subscription), expected);
        assert_eq!(subscription.last_id().sequence, 4);
    };
    check(Filter::all(), &["1", "2", "3", "4"]);
    check(Filter::all().with_names([name("job")]), &["4"]);
    check(
        Filter::all().with_topics(["posts", "users"]),
        &["2", "3", "4"],
    );
    check(
        Filter::all()
            .with_topics(["users"])
            .with_names([name("change")]),
        &["3"],
    );
    check(Filter::all().with_topics::<&str>([]), &[]);
}

#[test]
fn clients_are_bounded_and_a_dropped_one_makes_room() {
    let broadcaster = Broadcaster::with_epoch(Options::default().with_max_clients(2), 7);
    let first = broadcaster.subscribe(None, Filter::all()).unwrap();
    let _second = broadcaster.subscribe(None, Filter::all()).unwrap();
    let refused = broadcaster.subscribe(None, Filter::all()).unwrap_err();
    assert_eq!(refused, SubscribeError::Full { max_clients: 2 });
    let problem = crate::problem::Problem::from(refused);
    assert_eq!(
        (problem.status().as_u16(), problem.code()),
        (503, "too-many-streams")
    );
    drop(first);
    assert_eq!(broadcaster.clients(), 1);
    assert!(broadcaster.subscribe(None, Filter::all()).is_ok());
}

#[test]
fn an_event_larger_than_the_buffer_is_refused_and_takes_no_number() {
    let bytes = NonZeroUsize::new(1_000).unwrap();
    let broadcaster = Broadcaster::with_epoch(Options::default().with_buffer_bytes(bytes), 7);
    let error = broadcaster
        .publish(&name("n"), "x".repeat(1_000))
        .unwrap_err();
    assert_eq!(
        error,
        PublishError::TooLarge {
            buffer_bytes: 1_000
        }
    );
    assert_eq!(broadcaster.publish(&name("n"), "x").unwrap().sequence, 1);
}

#[test]
fn draining_delivers_what_was_published_and_ends() {
    let broadcaster = broadcaster(10);
    let mut subscription = broadcaster.subscribe(None, Filter::all()).unwrap();
    publish(&broadcaster, 2);
    broadcaster.drain();
    broadcaster.drain();
    assert_eq!(
        broadcaster.publish(&name("n"), "x"),
        Err(PublishError::Draining)
    );
    let refused = broadcaster.subscribe(None, Filter::all()).unwrap_err();
    assert_eq!(refused, SubscribeError::Draining);
    assert_eq!(ready(&mut subscription), ["1", "2", "end"]);
    assert_eq!(ready(&mut subscription), ["end"]);
}

#[tokio::test]
async fn waiting_clients_are_woken_by_events_by_drain_and_by_the_last_broadcasters_drop() {
    for end in [|broadcaster: Broadcaster| broadcaster.drain(), drop] {
        let broadcaster = broadcaster(10);
        let waiting: Vec<_> = (0..50)
            .map(|_| {
                let mut subscription = broadcaster.subscribe(None, Filter::all()).unwrap();
                tokio::spawn(async move {
                    let mut count = 0;
                    while subscription.next().await.is_some() {
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        for _ in 0..3 {
            tokio::task::yield_now().await;
            publish(&broadcaster, 1);
        }
        tokio::task::yield_now().await;
        end(broadcaster);
        for task in waiting {
            assert_eq!(task.await.unwrap(), 3);
        }
    }
}

#[test]
fn broadcasters_do_not_share_an_epoch() {
    let one = Broadcaster::new(Options::default());
    let last = one.last_id().to_string();
    let other = Broadcaster::new(Options::default());
    let mut returning = other.subscribe(Some(&last), Filter::all()).unwrap();
    assert_eq!(
        ready(&mut returning),
        [format!("reset({})@0", ResetReason::Epoch.as_str())]
    );
}
