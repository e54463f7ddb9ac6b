//! Rounds in which everybody has a turn, and what comes out of them.

use std::time::Duration;

use crate::contender::{Failure, Turn};

/// Unmeasured rounds: connections are opened.
const WARM_UP: usize = 5;

/// Name, rate, and the rate of the contender named `ours` over it, of each. Each round begins with another one.
pub async fn measure(
    contenders: &[Turn],
    ours: &str,
    clients: usize,
    rounds: usize,
    turn: Duration,
) -> Result<Vec<(&'static str, f64, f64)>, Failure> {
    let mut rates = vec![Vec::new(); contenders.len()];
    for round in 0..WARM_UP + rounds {
        for place in 0..contenders.len() {
            let next = (round + place) % contenders.len();
            let rate = contenders[next].take(clients, turn).await?;
            if round >= WARM_UP {
                rates[next].push(rate);
            }
        }
    }
    let ours = contenders
        .iter()
        .position(|contender| contender.name == ours);
    let ours = rates[ours.ok_or("nobody has our name")?].clone();
    let result = contenders.iter().zip(rates).map(|(contender, rates)| {
        let ratios = ours.iter().zip(&rates).map(|(ours, other)| ours / other);
        (contender.name, median(ratios.collect()), rates)
    });
    Ok(result
        .map(|(name, ratio, rates)| (name, median(rates), ratio))
        .collect())
}

/// The middle value; of an even number, the lower of the two.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len().saturating_sub(1) / 2;
    values.get(middle).copied().unwrap_or(f64::NAN)
}
