//! The commands.

use std::collections::HashMap;
use std::sync::Arc;

use bullmq::job_scheduler::RepeatOptions;
use bullmq::options::RedisConnectionOptions;
use bullmq::{
    BulkJob, Error, FlowJob, FlowProducer, FlowProducerOptions, JobNode, JobOptions, Queue,
    QueueOptions, Worker, WorkerOptions,
};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::handler;

/// Everything that is open.
#[derive(Default)]
pub(crate) struct Side {
    queues: Mutex<HashMap<String, Arc<Queue>>>,
    workers: Mutex<HashMap<String, Worker>>,
}

fn connection() -> RedisConnectionOptions {
    let port = std::env::var("REDIS_PORT").expect("REDIS_PORT names the Redis");
    RedisConnectionOptions {
        url: format!("redis://127.0.0.1:{port}"),
        ..Default::default()
    }
}

fn text(words: &Value, name: &str) -> Result<String, Error> {
    let found = words[name].as_str().map(str::to_owned);
    found.ok_or_else(|| Error::InvalidConfig(format!("{name} is missing")))
}

/// Options as BullMQ for Node has them.
fn options(said: &Value) -> Result<JobOptions, Error> {
    if said.is_null() {
        return Ok(JobOptions::default());
    }
    Ok(serde_json::from_value(said.clone())?)
}

impl Side {
    pub(crate) async fn obey(&self, words: &Value) -> Result<Value, Error> {
        match words["command"].as_str().unwrap_or_default() {
            "add" => self.add(words).await,
            "addBulk" => self.add_bulk(words).await,
            "flow" => flow(words).await,
            "work" => self.work(words).await,
            "stopWork" => self.stop_work(words).await,
            "job" => self.job(words).await,
            "upsertScheduler" => self.upsert_scheduler(words).await,
            "schedulers" => self.schedulers(words).await,
            "removeScheduler" => self.remove_scheduler(words).await,
            other => Err(Error::InvalidConfig(format!("there is no command {other}"))),
        }
    }

    async fn queue(&self, words: &Value) -> Result<Arc<Queue>, Error> {
        let name = text(words, "queue")?;
        let mut queues = self.queues.lock().await;
        if let Some(queue) = queues.get(&name) {
            return Ok(Arc::clone(queue));
        }
        let options = QueueOptions::new().connection(connection());
        let queue = Arc::new(Queue::with_options(&name, options).await?);
        queues.insert(name, Arc::clone(&queue));
        Ok(queue)
    }

    async fn add(&self, words: &Value) -> Result<Value, Error> {
        let queue = self.queue(words).await?;
        let adding = queue.add(&text(words, "name")?, words["data"].clone());
        let job = adding.options(options(&words["options"])?).await?;
        Ok(json!(job.id()))
    }

    async fn add_bulk(&self, words: &Value) -> Result<Value, Error> {
        let queue = self.queue(words).await?;
        let mut jobs = Vec::new();
        for job in words["jobs"].as_array().into_iter().flatten() {
            let options = options(&job["options"])?;
            let name = text(job, "name")?;
            jobs.push(BulkJob::with_options(name, job["data"].clone(), options));
        }
        let added = queue.add_bulk(jobs).await?;
        Ok(added.iter().map(|job| json!(job.id())).collect())
    }

    async fn work(&self, words: &Value) -> Result<Value, Error> {
        let (name, queue) = (text(words, "worker")?, text(words, "queue")?);
        let concurrency = words["concurrency"].as_u64().unwrap_or(1);
        let options = WorkerOptions::new()
            .connection(connection())
            .concurrency(usize::try_from(concurrency).unwrap_or(1));
        let handler = handler::handler(name.clone(), queue.clone());
        let worker = Worker::with_options(&queue, handler, options).await?;
        self.workers.lock().await.insert(name, worker);
        Ok(Value::Null)
    }

    async fn stop_work(&self, words: &Value) -> Result<Value, Error> {
        let worker = self.workers.lock().await.remove(&text(words, "worker")?);
        if let Some(worker) = worker {
            worker.close(5_000).await?;
        }
        Ok(Value::Null)
    }

    async fn job(&self, words: &Value) -> Result<Value, Error> {
        let (queue, id) = (self.queue(words).await?, text(words, "job")?);
        // The state first: what is read later is then at least as new.
        let state = queue.get_job_state(&id).await?;
        let Some(job) = queue.get_job(&id).await? else {
            return Ok(Value::Null);
        };
        Ok(json!({
            "name": job.name(),
            "data": job.data(),
            "progress": job.progress(),
            "returnvalue": serde_json::from_str::<Value>(job.returnvalue()).unwrap_or(Value::Null),
            "failedReason": job.failed_reason(),
            "attemptsMade": job.attempts_made(),
            "state": state.as_str(),
        }))
    }

    async fn upsert_scheduler(&self, words: &Value) -> Result<Value, Error> {
        let queue = self.queue(words).await?;
        let repeat: RepeatOptions = serde_json::from_value(words["repeat"].clone())?;
        let template = &words["template"];
        let job = queue
            .upsert_job_scheduler(
                &text(words, "scheduler")?,
                repeat,
                template["name"].as_str(),
                Some(template["data"].clone()),
                Some(options(&template["opts"])?),
            )
            .await?;
        Ok(json!(job.map(|job| job.id().to_owned())))
    }

    async fn schedulers(&self, words: &Value) -> Result<Value, Error> {
        let queue = self.queue(words).await?;
        let found = queue.get_job_schedulers(0, -1, true).await?;
        Ok(serde_json::to_value(found)?)
    }

    async fn remove_scheduler(&self, words: &Value) -> Result<Value, Error> {
        let queue = self.queue(words).await?;
        let id = text(words, "scheduler")?;
        Ok(json!(queue.remove_job_scheduler(&id).await?))
    }
}

async fn flow(words: &Value) -> Result<Value, Error> {
    let options = FlowProducerOptions {
        connection: connection(),
        ..Default::default()
    };
    let flows = FlowProducer::with_options(options).await?;
    Ok(ids(&flows.add(tree(&words["tree"])?).await?))
}

fn tree(said: &Value) -> Result<FlowJob, Error> {
    let (name, queue) = (text(said, "name")?, text(said, "queueName")?);
    let flow = FlowJob::new(name, queue, said["data"].clone())?.options(options(&said["opts"])?);
    let mut children = said["children"].as_array().into_iter().flatten();
    children.try_fold(flow, |flow, child| Ok(flow.add_child(tree(child)?)))
}

fn ids(node: &JobNode) -> Value {
    let children: Vec<Value> = node.children.iter().flatten().map(ids).collect();
    json!({ "id": node.job.id(), "children": children })
}
