//! Pools of connections to `PostgreSQL`, ours among them, and connections without a pool, all in one process:
//! `pools URL CLIENTS SIZE SECONDS` lets so many clients take a connection (of so many), ask a trivial question and give
//! it back, each contender for so long.
//!
//! The contenders take turns of a tenth of a second. A line each: name, questions a second (the median of its turns),
//! and our rate over its rate (the median of the rounds: the two turns of a round are neighbours in time), separated
//! by tabs.

mod bare;
mod bb8;
mod contender;
mod deadpool;
mod ours;
mod turns;

use std::sync::Arc;
use std::time::Duration;

use ::deadpool_postgres::RecyclingMethod;

use contender::{Failure, Turn};

/// How long a turn is: short enough that no pool finds its connections idle when it is on again.
const TURN: Duration = Duration::from_millis(100);

/// Whose rate stands above the others' in the ratios.
const OURS: &str = "Paceline";

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [url, clients, size, seconds] = words.as_slice() else {
        return Err("pools URL CLIENTS SIZE SECONDS".into());
    };
    let (clients, size): (usize, usize) = (clients.parse()?, size.parse()?);
    let rounds = seconds.parse::<usize>()? * 10;
    let contenders = contenders(url, clients, size).await?;
    for (name, rate, ratio) in turns::measure(&contenders, OURS, clients, rounds, TURN).await? {
        println!("{name}\t{rate}\t{ratio}");
    }
    Ok(())
}

/// All who take part; connections without a pool where there is one for each client.
async fn contenders(url: &str, clients: usize, size: usize) -> Result<Vec<Turn>, Failure> {
    let pool = ours::pool(url, size)?;
    let (fast, verified) = (RecyclingMethod::Fast, RecyclingMethod::Verified);
    let mut all = vec![
        Turn::new(OURS, Arc::new(ours::Pooled(pool))),
        Turn::new(
            "deadpool, unchecked",
            Arc::new(deadpool::of(url, size, fast)?),
        ),
        Turn::new(
            "deadpool, checked",
            Arc::new(deadpool::of(url, size, verified)?),
        ),
        Turn::new(
            "bb8, checked (its default)",
            Arc::new(bb8::of(url, size).await?),
        ),
    ];
    if clients == size {
        let held = ours::Held::open(url, size).await?;
        // Beside ours: what is compared most closely.
        all.insert(
            1,
            Turn::new(
                "a bare connection each",
                Arc::new(bare::Bare::open(url, size).await?),
            ),
        );
        all.push(Turn::new(
            "a lease of Paceline's held by each",
            Arc::new(held),
        ));
    }
    Ok(all)
}
