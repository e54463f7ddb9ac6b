//! Our side: the engine, and a worker whose jobs do what their data says, as in `node/handler.js`.

use std::sync::{Arc, Mutex};

use paceline_jobs::{EngineHandle, Job, JobError, Queue, RedisOptions, Worker};
use serde_json::Value;

use crate::redis_server::RedisServer;

/// Our engine on that Redis, with its defaults.
pub(crate) async fn open(redis: &RedisServer) -> EngineHandle {
    EngineHandle::new(RedisOptions::new(redis.url()).connect().await.unwrap())
}

/// One run of a handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) job: String,
    pub(crate) name: String,
    pub(crate) attempt: u32,
}

/// A worker and what it ran.
#[derive(Debug)]
pub(crate) struct OurWorker {
    pub(crate) worker: Worker,
    runs: Arc<Mutex<Vec<Run>>>,
}

impl OurWorker {
    /// Starts one.
    pub(crate) fn start(engine: &EngineHandle, queue: &str, concurrency: usize) -> Self {
        let runs = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&runs);
        let queue: Queue<Value> = Queue::new(engine, queue).unwrap();
        let worker =
            Worker::builder(queue)
                .concurrency(concurrency)
                .start(move |job: Job<Value>| {
                    told.lock().unwrap().push(Run {
                        job: job.id().to_string(),
                        name: job.name().to_owned(),
                        attempt: job.attempt(),
                    });
                    handle(job)
                });
        Self { worker, runs }
    }

    /// All runs so far, in the order they began.
    pub(crate) fn runs(&self) -> Vec<Run> {
        self.runs.lock().unwrap().clone()
    }

    /// The jobs that ran so far.
    pub(crate) fn jobs(&self) -> Vec<String> {
        self.runs().into_iter().map(|run| run.job).collect()
    }
}

async fn handle(job: Job<Value>) -> Result<Value, JobError> {
    let data = job.data();
    if let Some(progress) = data.get("progress") {
        job.progress(progress).await?;
    }
    if let Some(line) = data["log"].as_str() {
        job.log(line).await?;
    }
    if let Some(message) = data["fail"]["message"].as_str()
        && u64::from(job.attempt()) <= data["fail"]["times"].as_u64().unwrap_or(0)
    {
        let retryable = data["fail"]["unrecoverable"] != true;
        return Err(if retryable {
            JobError::retryable(message)
        } else {
            JobError::unrecoverable(message)
        });
    }
    if data["children"] == true {
        return children(&job).await;
    }
    Ok(data["answer"].clone())
}

/// The children's results, sorted by their text.
async fn children(job: &Job<Value>) -> Result<Value, JobError> {
    let children = job.children().await?;
    let results = children.completed.iter().map(|(_, result)| result.get());
    let mut results: Vec<&str> = results.collect();
    results.sort_unstable();
    let results = results.into_iter().map(serde_json::from_str::<Value>);
    Ok(Value::Array(results.collect::<Result<_, _>>()?))
}
