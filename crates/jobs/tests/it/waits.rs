//! Waits that cannot miss.

use std::time::Duration;

use paceline_jobs::{JobId, JobOptions, LeaseToken, Queue, Retention, State, WaitError};

use crate::store::{Store, claim, completed, failed, finish};

const LONG: Duration = Duration::from_secs(30);

fn queue(store: &Store) -> Queue<u32> {
    Queue::new(&store.engine, "q").unwrap()
}

#[tokio::test]
async fn waiting_gives_the_job_however_and_whenever_it_ended() {
    let store = Store::new();
    let queue = queue(&store);
    let token = LeaseToken::random();
    // Before the call.
    let id = queue.add("n", &1).await.unwrap().id;
    let job = claim(&store.engine, "q", &token, 1).await.pop().unwrap();
    finish(&store.engine, &job, completed()).await.unwrap();
    let ended = queue
        .wait_until_finished(&id, Duration::ZERO)
        .await
        .unwrap();
    assert_eq!(ended.result.unwrap().get(), "\"done\"");
    // After it, by a failure.
    let id = queue.add("n", &1).await.unwrap().id;
    let job = claim(&store.engine, "q", &token, 1).await.pop().unwrap();
    let waiting = queue.clone();
    let waiting = tokio::spawn(async move { waiting.wait_until_finished(&id, LONG).await });
    tokio::task::yield_now().await;
    finish(&store.engine, &job, failed(false)).await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap().state, State::Failed);
    // Not in time.
    let id = queue.add("n", &1).await.unwrap().id;
    let late = queue
        .wait_until_finished(&id, Duration::from_millis(1))
        .await;
    assert!(
        matches!(late, Err(WaitError::TimedOut(_, State::Waiting))),
        "{late:?}"
    );
}

#[tokio::test]
async fn waiting_hears_of_an_end_in_another_process() {
    let store = Store::new();
    let second = store.second();
    let queue = queue(&store);
    let id = queue.add("n", &1).await.unwrap().id;
    let waiting = queue.clone();
    let hour = Duration::from_hours(1);
    let waiting = tokio::spawn(async move { waiting.wait_until_finished(&id, hour).await });
    tokio::task::yield_now().await;
    let job = claim(&second, "q", &LeaseToken::random(), 1)
        .await
        .pop()
        .unwrap();
    finish(&second, &job, completed()).await.unwrap();
    let ended = tokio::time::timeout(LONG, waiting).await.expect("in time");
    assert_eq!(ended.unwrap().unwrap().state, State::Completed);
}

#[tokio::test]
async fn waiting_for_a_job_that_goes_away_is_an_error_of_its_own() {
    // One reader: what the test reads comes after what the waiter reads.
    let store = Store::with(|options| options.readers(1));
    let queue = queue(&store);
    let waiting = |id: &JobId| {
        let (queue, id) = (queue.clone(), id.clone());
        tokio::spawn(async move { queue.wait_until_finished(&id, LONG).await })
    };
    let unknown = queue.wait_until_finished(&JobId::lookup("no"), LONG).await;
    assert!(matches!(unknown, Err(WaitError::NotFound)), "{unknown:?}");

    let id = queue.add("n", &1).await.unwrap().id;
    let wait = waiting(&id);
    tokio::task::yield_now().await;
    queue.info().await.unwrap();
    queue.remove(&id).await.unwrap();
    let removed = wait.await.unwrap().unwrap_err();
    assert!(
        matches!(removed, WaitError::Removed { ended: None }),
        "{removed}"
    );

    let options = JobOptions::new().keep_completed(Retention::NONE);
    let id = queue.add_with("n", &1, options).await.unwrap().id;
    let job = claim(&store.engine, "q", &LeaseToken::random(), 1)
        .await
        .pop()
        .unwrap();
    let wait = waiting(&id);
    tokio::task::yield_now().await;
    queue.info().await.unwrap();
    finish(&store.engine, &job, completed()).await.unwrap();
    let gone = wait.await.unwrap().unwrap_err();
    let completed = Some(State::Completed);
    assert!(
        matches!(gone, WaitError::Removed { ended } if ended == completed),
        "{gone}"
    );
}

#[tokio::test]
async fn waiting_ends_with_the_engine() {
    let store = Store::new();
    let queue = queue(&store);
    let id = queue.add("n", &1).await.unwrap().id;
    let waiting = {
        let queue = queue.clone();
        tokio::spawn(async move { queue.wait_until_finished(&id, LONG).await })
    };
    tokio::task::yield_now().await;
    store.engine.stop(Duration::from_secs(10)).await;
    let ended = waiting.await.unwrap();
    assert!(matches!(ended, Err(WaitError::Engine(_))), "{ended:?}");
}
