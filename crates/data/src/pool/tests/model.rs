//! Random histories: whatever happens in whatever order, the pool's books are right.

use std::sync::atomic::Ordering;
use std::time::Duration;

use proptest::prelude::*;

use super::super::Lease;
use super::fake::{Ends, Fake};
use super::{Bench, within};

/// One step of a history.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Asks for a connection, for so many milliseconds.
    Acquire(u64),
    /// Returns, gives up, or breaks one of those that are out.
    Return(usize),
    Discard(usize),
    Break(usize),
    /// Time passes, in the process or frozen.
    Advance(u64),
    Freeze(u64),
    /// The next attempt to connect, or check, ends so.
    Connect(Ends),
    Check(Ends),
}

fn step() -> impl Strategy<Value = Step> {
    let ends = prop_oneof![Just(Ends::Busy), Just(Ends::Refused), Just(Ends::Never)];
    prop_oneof![
        4 => (0..4_000_u64).prop_map(Step::Acquire),
        3 => any::<usize>().prop_map(Step::Return),
        1 => any::<usize>().prop_map(Step::Discard),
        1 => any::<usize>().prop_map(Step::Break),
        2 => (0..2_000_000_u64).prop_map(Step::Advance),
        1 => (0..2_000_000_u64).prop_map(Step::Freeze),
        1 => ends.clone().prop_map(Step::Connect),
        1 => ends.prop_map(Step::Check),
    ]
}

async fn play(bench: &Bench, size: usize, steps: &[Step]) {
    let mut out: Vec<Lease<Fake>> = Vec::new();
    let take = |out: &mut Vec<Lease<Fake>>, which: usize| {
        (!out.is_empty()).then(|| out.swap_remove(which % out.len()))
    };
    for step in steps {
        match *step {
            Step::Acquire(millis) => out.extend(bench.pool.acquire(within(millis)).await.ok()),
            Step::Return(which) => drop(take(&mut out, which)),
            Step::Discard(which) => {
                if let Some(lease) = take(&mut out, which) {
                    lease.discard();
                }
            }
            Step::Break(which) => {
                if let Some(lease) = take(&mut out, which) {
                    lease.broken.store(true, Ordering::SeqCst);
                }
            }
            Step::Advance(millis) => bench.clock.advance(Duration::from_millis(millis)),
            Step::Freeze(millis) => bench.clock.freeze(Duration::from_millis(millis)),
            Step::Connect(ends) => bench.world.connects(&[ends]),
            Step::Check(ends) => bench.world.checks(&[ends]),
        }
        let occupancy = bench.pool.statistics().occupancy;
        assert_eq!(occupancy.in_use, out.len());
        assert_eq!(occupancy.waiting, 0);
        assert!(occupancy.in_use + occupancy.idle <= size, "{occupancy:?}");
        let standing = bench.world.standing.load(Ordering::SeqCst);
        assert_eq!(standing, occupancy.in_use + occupancy.idle);
        assert!(out.iter().all(|lease| !lease.broken.load(Ordering::SeqCst)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_books_are_right(size in 1..4_usize, steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let bench = Bench::new(size);
            play(&bench, size, &steps).await;
        });
    }
}
