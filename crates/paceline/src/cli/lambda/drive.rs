//! A bounded load: so many clients, each with one request at a time, so many requests together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::Uri;
use tokio::task::JoinSet;

use super::page::{self, Asker};
use crate::cli::Failure;

/// Asks the URLs in turn until `requests` were answered; gives how long each answer took.
///
/// # Errors
/// The first answer that is none, or tells of an error: its time would say nothing.
pub(super) async fn load(
    asker: &Asker,
    urls: &[Uri],
    requests: usize,
    clients: usize,
) -> Result<Vec<Duration>, Failure> {
    let next = Arc::new(AtomicUsize::new(0));
    let urls: Arc<[Uri]> = urls.into();
    let mut running = JoinSet::new();
    for _ in 0..clients {
        let (asker, urls, next) = (asker.clone(), Arc::clone(&urls), Arc::clone(&next));
        running.spawn(async move {
            let mut times = Vec::new();
            loop {
                let turn = next.fetch_add(1, Ordering::Relaxed);
                if turn >= requests {
                    return Ok(times);
                }
                times.push(one(&asker, &urls[turn % urls.len()]).await?);
            }
        });
    }
    let mut all = Vec::with_capacity(requests);
    while let Some(ended) = running.join_next().await {
        let times: Result<Vec<Duration>, Failure> = ended.map_err(|error| Failure::run(&error))?;
        all.extend(times?);
    }
    Ok(all)
}

async fn one(asker: &Asker, url: &Uri) -> Result<Duration, Failure> {
    let started = Instant::now();
    match page::ask(asker, url.clone()).await {
        Ok((status, _)) if status < 400 => Ok(started.elapsed()),
        Ok((429, _)) => Err(Failure::Run(format!(
            "--drive {url}: it answers 429: lift the limit for the measurement, or lower --requests"
        ))),
        Ok((status, _)) => Err(Failure::Run(format!(
            "--drive {url}: it answers {status}, whose time says nothing: give a path that is answered"
        ))),
        Err(why) => Err(Failure::Run(format!("--drive {url}: {why}"))),
    }
}
