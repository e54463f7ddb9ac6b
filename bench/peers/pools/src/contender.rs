//! Who is measured, and one turn of it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_postgres::Client;

/// Whatever ends the program.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What is asked, unnamed.
const QUESTION: &str = "SELECT 1";

/// Somebody who can ask.
pub trait Contender: Send + Sync + 'static {
    /// The client of that number gets a connection, asks and gives it back.
    fn ask(&self, client: usize) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// The question on a connection.
pub async fn ask(client: &Client) -> Result<(), Failure> {
    client.query_typed(QUESTION, &[]).await?;
    Ok(())
}

type Rate = Pin<Box<dyn Future<Output = Result<f64, Failure>>>>;

/// A contender with its name, whatever its type.
pub struct Turn {
    pub name: &'static str,
    take: Box<dyn Fn(usize, Duration) -> Rate>,
}

impl Turn {
    pub fn new(name: &'static str, contender: Arc<impl Contender>) -> Self {
        let take = move |clients, length| -> Rate {
            Box::pin(run(Arc::clone(&contender), clients, length))
        };
        Self {
            name,
            take: Box::new(take),
        }
    }

    /// Lets so many clients ask, one question after the other, for so long; gives questions a second.
    pub async fn take(&self, clients: usize, length: Duration) -> Result<f64, Failure> {
        (self.take)(clients, length).await
    }
}

async fn run(
    contender: Arc<impl Contender>,
    clients: usize,
    length: Duration,
) -> Result<f64, Failure> {
    let start = Instant::now();
    let running: Vec<_> = (0..clients)
        .map(|client| {
            let contender = Arc::clone(&contender);
            tokio::spawn(async move {
                let mut made = 0_u32;
                while start.elapsed() < length {
                    contender.ask(client).await?;
                    made += 1;
                }
                Ok::<u32, Failure>(made)
            })
        })
        .collect();
    let mut made = 0;
    for task in running {
        made += task.await??;
    }
    Ok(f64::from(made) / start.elapsed().as_secs_f64())
}
