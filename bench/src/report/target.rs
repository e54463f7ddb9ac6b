//! The targets, and whether the results reach them.

use super::mariadb::MARIADB;
use crate::results::Results;

/// A figure that the results may hold.
#[derive(Clone, Copy, Debug)]
pub(super) enum Measure {
    /// The rate of a contender in a row.
    Rate(&'static str, &'static str),
    /// The highest rate of those in a row who are not ours.
    BestPeer(&'static str),
    /// The rate of a contender in a row of jobs.
    Jobs(&'static str, &'static str),
    /// The highest rate at which a contender processes jobs, over the concurrencies.
    Processing(&'static str),
    /// A single figure.
    Figure(&'static str),
    /// A constant, for targets that are no ratio.
    One,
}

/// Which side of the bound is reached.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bound {
    /// `ours / other` must be this or more.
    AtLeast(f64),
    /// `ours / other` must be this or less.
    AtMost(f64),
}

/// One target: the ratio of two figures and its bound.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    /// What is compared, in words.
    pub(super) what: &'static str,
    ours: Measure,
    other: Measure,
    /// The bound.
    pub(super) bound: Bound,
    /// What a profile shows, for the case that it is missed.
    pub(super) profile: Option<&'static str>,
}

use Bound::{AtLeast, AtMost};
use Measure::{BestPeer, Figure, Jobs, One, Processing, Rate};

/// A target without a profile.
pub(super) const fn target(
    what: &'static str,
    ours: Measure,
    other: Measure,
    bound: Bound,
) -> Target {
    Target {
        what,
        ours,
        other,
        bound,
        profile: None,
    }
}

/// The rows of [`Processing`].
const PROCESSING: [&str; 4] = [
    "jobs-process-8",
    "jobs-process-32",
    "jobs-process-256",
    "jobs-process-1024",
];

/// All but those of `MariaDB`.
const TARGETS: [Target; 70] = [
    target(
        "unchanged list with total / Express on the tutorial's table",
        Rate("list", "Paceline"),
        Rate("list", "Express, no index but the key"),
        AtLeast(200.0),
    ),
    target(
        "unchanged list with total / PocketBase",
        Rate("list", "Paceline"),
        Rate("list", "PocketBase"),
        AtLeast(50.0),
    ),
    target(
        "constant route / unchanged list",
        Rate("list", "constant route"),
        Rate("list", "Paceline"),
        AtMost(1.5),
    ),
    target(
        "constant route / unchanged list, gzip",
        Rate("list-gzip", "constant route"),
        Rate("list-gzip", "Paceline"),
        AtMost(1.5),
    ),
    target(
        "list never asked before / PocketBase without total",
        Rate("list-new", "Paceline, cache off"),
        Rate("list-new", "PocketBase, no total"),
        AtLeast(5.0),
    ),
    target(
        "constant route / 304",
        Rate("not-modified", "constant route"),
        Rate("not-modified", "Paceline"),
        AtMost(1.3),
    ),
    target(
        "304 / Express with ETag",
        Rate("not-modified", "Paceline"),
        Rate("not-modified", "Express"),
        AtLeast(20.0),
    )
    .profiled(
        "load generator and server share two processors, and the load generator takes most of one: the constant \
         route, which does nothing, is the ceiling of every contender here",
    ),
    target(
        "page 1 / page 2,000 by cursor (cost)",
        Rate("page-2000", "Paceline, page 1"),
        Rate("page-2000", "Paceline, cache off"),
        AtMost(1.2),
    ),
    target(
        "export, time of Express / ours",
        Figure("export, in all, Express, s"),
        Figure("export, in all, Paceline, s"),
        AtLeast(3.0),
    ),
    target(
        "export, peak memory, MiB",
        Figure("export, peak memory, Paceline, MiB"),
        One,
        AtMost(64.0),
    ),
    target(
        "POST /send-email / Express on Redis in memory",
        Rate("send-email", "Paceline, fsync"),
        Rate("send-email", "Express, Redis in memory"),
        AtLeast(1.0),
    ),
    target(
        "the same over 1 connection",
        Rate("send-email-1", "Paceline, fsync"),
        Rate("send-email-1", "Express, Redis in memory"),
        AtLeast(1.0),
    ),
    target(
        "queued mail / mail sent before the answer",
        Rate("send-email", "Paceline, fsync"),
        Rate("send-email-synchronous", "Express, sent before the answer"),
        AtLeast(1.0),
    ),
    target(
        "rate limit, instructions a request",
        Figure("rate limit, instructions a request"),
        One,
        AtMost(3000.0),
    ),
    target(
        "limiter, one key, decisions a second and core",
        Figure("limiter, fixed window, one key, threads 1, decisions/s a thread"),
        One,
        AtLeast(5_000_000.0),
    ),
    target(
        "limiter, 1 M keys, decisions a second and core",
        Figure("limiter, fixed window, 1 M keys, threads 1, decisions/s a thread"),
        One,
        AtLeast(5_000_000.0),
    ),
    target(
        "the same by sliding window",
        Figure("limiter, sliding window, 1 M keys, threads 1, decisions/s a thread"),
        One,
        AtLeast(5_000_000.0),
    )
    .profiled("it keeps ten cells a key, on a line of memory of their own: a decision waits for memory twice"),
    target(
        "the same by GCRA",
        Figure("limiter, GCRA, 1 M keys, threads 1, decisions/s a thread"),
        One,
        AtLeast(5_000_000.0),
    ),
    target(
        "limiter, 10 M keys in its default room, MiB of counts",
        Figure("limiter, 10 M keys, default room, MiB of counts"),
        One,
        AtMost(64.0),
    ),
    target(
        "limiter on Redis / a bare EVALSHA, one at a time",
        Figure("limiter, Redis, 1 at once, fixed window, a second"),
        Figure("limiter, Redis, 1 at once, bare EVALSHA, a second"),
        AtLeast(0.9),
    ),
    target(
        "the same, 64 at a time",
        Figure("limiter, Redis, 64 at once, fixed window, a second"),
        Figure("limiter, Redis, 64 at once, bare EVALSHA, a second"),
        AtLeast(0.9),
    )
    .profiled(
        "the server is busy all the time there: the bare script touches nothing, a decision reads the clock and a key and \
         writes it (2.5 µs of the server against 1.6); the counter of simpler limiters, INCRBY, PEXPIRE and PTTL, is \
         2 % faster than we are",
    ),
    target(
        "a question through the pool / on a bare connection, 1 client",
        Figure("pool, 1 clients on 1, Paceline / a bare connection each, turn by turn"),
        One,
        AtLeast(0.95),
    ),
    target(
        "a question through the pool / on a bare connection, 32 clients",
        Figure("pool, 32 clients on 32, Paceline / a bare connection each, turn by turn"),
        One,
        AtLeast(0.95),
    ),
    target(
        "cold start, ms",
        Figure("cold start, Paceline, ms"),
        One,
        AtMost(15.0),
    ),
    target(
        "cold start, a Node handler / ours",
        Figure("cold start, a Node handler, ms"),
        Figure("cold start, Paceline, ms"),
        AtLeast(10.0),
    )
    .profiled(
        "of our time a third is the kernel starting the program, most of the rest the first use of about 950 pages \
         of memory, a third of them the program's own; an empty Node script takes nearly as long as the handler",
    ),
    target(
        "idle memory, MiB",
        Figure("idle memory, Paceline demo, MiB"),
        One,
        AtMost(20.0),
    ),
    target(
        "size of the binary, MiB",
        Figure("size of the binary, MiB"),
        One,
        AtMost(20.0),
    ),
    target(
        "object / Express",
        Rate("object", "Paceline"),
        Rate("object", "Express"),
        AtLeast(1.0),
    ),
    target(
        "16 KiB, gzip: kept / the best peer",
        Rate("layers-gzip-16", "Paceline, kept"),
        BestPeer("layers-gzip-16"),
        AtLeast(5.0),
    ),
    target(
        "16 KiB, gzip: identity / kept",
        Rate("layers-gzip-16", "Paceline, identity"),
        Rate("layers-gzip-16", "Paceline, kept"),
        AtMost(1.1),
)
    .profiled(
        "not profiled: runs differ by more than this; zstd's kept bodies, found the same way, are faster than identity in \
         the same run",
    ),
    target(
        "16 KiB, gzip: anew / the best peer",
        Rate("layers-gzip-16", "Paceline, anew"),
        BestPeer("layers-gzip-16"),
        AtLeast(1.0),
    ),
    target(
        "256 KiB, gzip: kept / the best peer",
        Rate("layers-gzip-256", "Paceline, kept"),
        BestPeer("layers-gzip-256"),
        AtLeast(5.0),
    ),
    target(
        "256 KiB, gzip: identity / kept",
        Rate("layers-gzip-256", "Paceline, identity"),
        Rate("layers-gzip-256", "Paceline, kept"),
        AtMost(1.1),
    ),
    target(
        "256 KiB, gzip: anew / the best peer",
        Rate("layers-gzip-256", "Paceline, anew"),
        BestPeer("layers-gzip-256"),
        AtLeast(1.0),
    ),
    target(
        "16 KiB, zstd: kept / the best peer",
        Rate("layers-zstd-16", "Paceline, kept"),
        BestPeer("layers-zstd-16"),
        AtLeast(5.0),
)
    .profiled(
        "the best peer encodes each time and still gives 30,000/s, where we give 105,000/s without any encoding: five \
         times it is more than this server can send; kept bodies are already faster than identity",
    ),
    target(
        "16 KiB, zstd: identity / kept",
        Rate("layers-zstd-16", "Paceline, identity"),
        Rate("layers-zstd-16", "Paceline, kept"),
        AtMost(1.1),
    ),
    target(
        "16 KiB, zstd: anew / the best peer",
        Rate("layers-zstd-16", "Paceline, anew"),
        BestPeer("layers-zstd-16"),
        AtLeast(1.0),
    ),
    target(
        "256 KiB, zstd: kept / the best peer",
        Rate("layers-zstd-256", "Paceline, kept"),
        BestPeer("layers-zstd-256"),
        AtLeast(5.0),
    ),
    target(
        "256 KiB, zstd: identity / kept",
        Rate("layers-zstd-256", "Paceline, identity"),
        Rate("layers-zstd-256", "Paceline, kept"),
        AtMost(1.1),
    ),
    target(
        "256 KiB, zstd: anew / the best peer",
        Rate("layers-zstd-256", "Paceline, anew"),
        BestPeer("layers-zstd-256"),
        AtLeast(1.0),
    ),
    target(
        "304 of the layers / Express with ETag",
        Rate("layers-304", "Paceline, anew"),
        Rate("layers-304", "Express"),
        AtLeast(5.0),
    ),
    target(
        "the whole stack of layers, instructions a request",
        Figure("layers, the whole stack, instructions a request"),
        One,
        AtMost(10_000.0),
    ),
    target(
        "an idle event stream, KiB",
        Figure("layers, an idle event stream, KiB"),
        One,
        AtMost(24.0),
    ),
    target(
        "the same, as a stretch",
        Figure("layers, an idle event stream, KiB"),
        One,
        AtMost(10.0),
    )
    .profiled(
        "of about 31 KiB a client that are allocated (massif, 500 clients), 16 are two read buffers of hyper, which sets \
         their size and takes the second while the request still holds the first, 8 the buffer it writes heads into, \
         the rest the connection's task and the stream; what of the buffers is never touched does not become memory",
    ),
    target(
        "jobs, embedded: add one by one / BullMQ on Redis in memory",
        Jobs("jobs-add", "Paceline, SQLite"),
        Jobs("jobs-add", "BullMQ 6.7 on Node"),
        AtLeast(2.5),
    )
    .profiled(
        "the one writer is busy all the time: 23 % of it is fsync, 11 % writing pages, 14 % waiting and waking callers, \
         the rest SQLite and our code; BullMQ's adds go to memory, spread over Node and Redis on both processors",
    ),
    target(
        "jobs, embedded: process / BullMQ on Redis in memory, both at their best concurrency",
        Processing("Paceline, SQLite"),
        Processing("BullMQ 6.7 on Node"),
        AtLeast(4.0),
    ),
    target(
        "jobs, Redis: add_bulk / BullMQ's addBulk",
        Jobs("jobs-add-bulk", "Paceline, Redis"),
        Jobs("jobs-add-bulk", "BullMQ 6.7 on Node"),
        AtLeast(2.5),
    ),
    target(
        "jobs, Redis: process / the official Rust port",
        Processing("Paceline, Redis"),
        Processing("bullmq-official 1.4"),
        AtLeast(1.3),
    ),
    target(
        "jobs, Redis: process / BullMQ",
        Processing("Paceline, Redis"),
        Processing("BullMQ 6.7 on Node"),
        AtLeast(2.2),
    )
    .profiled(
        "Redis is busy all the time, about 28 µs a job, with what BullMQ's layout asks for: 30 % of it reads fields of \
         jobs, which are hash tables with payloads above 64 bytes, 25 % deletes the oldest completed job",
    ),
    target(
        "jobs, embedded: pick-up p99, ms",
        Figure("jobs, pick-up p99, Paceline, SQLite, ms"),
        One,
        AtMost(5.0),
    ),
    target(
        "jobs, embedded, two processes: pick-up p99, ms",
        Figure("jobs, pick-up p99, Paceline, SQLite, two processes, ms"),
        One,
        AtMost(5.0),
    ),
    target(
        "jobs, Redis: pick-up p99, ms",
        Figure("jobs, pick-up p99, Paceline, Redis, ms"),
        One,
        AtMost(5.0),
    ),
    target(
        "jobs, embedded: add with many waiting / with 1,000",
        Figure("jobs, add with many waiting, Paceline, SQLite, /s"),
        Figure("jobs, add with 1,000 waiting, Paceline, SQLite, /s"),
        AtLeast(0.8),
    ),
    target(
        "jobs, embedded: claim with many waiting / with 1,000",
        Figure("jobs, claim with many waiting, Paceline, SQLite, /s"),
        Figure("jobs, claim with 1,000 waiting, Paceline, SQLite, /s"),
        AtLeast(0.8),
    ),
    target(
        "jobs, Redis: add with many waiting / with 1,000",
        Figure("jobs, add with many waiting, Paceline, Redis, /s"),
        Figure("jobs, add with 1,000 waiting, Paceline, Redis, /s"),
        AtLeast(0.8),
    ),
    target(
        "jobs, Redis: claim with many waiting / with 1,000",
        Figure("jobs, claim with many waiting, Paceline, Redis, /s"),
        Figure("jobs, claim with 1,000 waiting, Paceline, Redis, /s"),
        AtLeast(0.8),
    ),
    target(
        "jobs, embedded: memory of an idle worker, MiB",
        Figure("jobs, idle worker, Paceline, SQLite, MiB"),
        One,
        AtMost(15.0),
    ),
    target(
        "jobs, embedded: memory after many jobs nobody watched / after a tenth of them",
        Figure("jobs, memory over many jobs, at the end, Paceline, SQLite, MiB"),
        Figure("jobs, memory over many jobs, after a tenth, Paceline, SQLite, MiB"),
        AtMost(1.1),
    ),
    target(
        "jobs, Redis: memory of an idle worker, MiB",
        Figure("jobs, idle worker, Paceline, Redis, MiB"),
        One,
        AtMost(15.0),
    ),
    target(
        "jobs, Redis: memory after many jobs nobody watched / after a tenth of them",
        Figure("jobs, memory over many jobs, at the end, Paceline, Redis, MiB"),
        Figure("jobs, memory over many jobs, after a tenth, Paceline, Redis, MiB"),
        AtMost(1.1),
    ),
    target(
        "PostgreSQL: constant route / unchanged list, page 1",
        Rate("postgres-list", "constant route"),
        Rate("postgres-list", "Paceline"),
        AtMost(1.5),
    ),
    target(
        "PostgreSQL: unchanged list, page 1 / Express on pg",
        Rate("postgres-list", "Paceline"),
        Rate("postgres-list", "Express"),
        AtLeast(200.0),
    ),
    target(
        "PostgreSQL: constant route / unchanged list, page 2,000",
        Rate("postgres-page-2000", "constant route"),
        Rate("postgres-page-2000", "Paceline"),
        AtMost(1.5),
    ),
    target(
        "PostgreSQL: unchanged list, page 2,000 / Express on pg",
        Rate("postgres-page-2000", "Paceline"),
        Rate("postgres-page-2000", "Express"),
        AtLeast(200.0),
    ),
    target(
        "PostgreSQL: list never asked before / pgbench with its statement",
        Rate("postgres-list-new", "Paceline, cache off"),
        Figure("postgres, list never asked before, pgbench, a second"),
        AtLeast(0.6),
    )
    .profiled(
        "of a page PostgreSQL's own part is the same, 34 µs of a processor; pgbench adds 13 µs to send, receive and \
         drop it, we add about 35, of which 20 are the system's (a client and a server to talk to, one look at the \
         socket), the load generator 12; planning an address nobody asked for before is 3, the tag a page is told by 1.5",
    ),
    target(
        "PostgreSQL: the same / json_agg on the server, as PostgREST asks",
        Rate("postgres-list-new", "Paceline, cache off"),
        Rate("postgres-list-new", "json_agg by hand"),
        AtLeast(2.0),
    )
    .profiled(
        "twice is out of reach on two processors: pgbench, which asks for the same rows and makes neither HTTP nor JSON \
         of them, gives 1.5 to 1.7 times as many a second. By hand all work on the rows is the database's, 43 µs of its \
         user time a page where ours costs 20, and the handler passes one text on; JSON made by PostgreSQL for us would \
         cost 23 µs there to save about 4 here. By hand four requests at a time also wait in each connection, unlike \
         in a pool: PostgreSQL sleeps 0.3 times a page, and once for each of ours",
    ),
    target(
        "PostgreSQL: uncached row / by hand",
        Rate("postgres-object", "Paceline, cache off"),
        Rate("postgres-object", "by hand"),
        AtLeast(0.9),
    )
    .profiled(
        "by hand 32 requests share 8 connections without being lent one, so that PostgreSQL finds several statements at \
         a time: it sleeps 0.5 times a row instead of once, which spares it and the handler about 7 µs of the system's \
         time. A connection that is lent for one statement is what lets a client who leaves have that statement \
         cancelled, and nobody else's. The rest is 5 µs of ours: routes, limits, metrics, a plan, a tag",
    ),
    target(
        "PostgreSQL: export, time of Express with pg-cursor / ours",
        Figure("postgres export, in all, Express, s"),
        Figure("postgres export, in all, Paceline, s"),
        AtLeast(5.0),
    ),
    target(
        "PostgreSQL: export, time of COPY / ours",
        Figure("postgres export, in all, COPY TO STDOUT, s"),
        Figure("postgres export, in all, Paceline, s"),
        AtLeast(0.5),
    ),
    target(
        "PostgreSQL: export, peak memory, MiB",
        Figure("postgres export, peak memory, Paceline, MiB"),
        One,
        AtMost(64.0),
    ),
];

/// All of them.
pub(super) fn targets() -> impl Iterator<Item = Target> {
    TARGETS.into_iter().chain(MARIADB)
}

impl Target {
    /// With what a profile shows.
    pub(super) const fn profiled(self, profile: &'static str) -> Self {
        Self {
            profile: Some(profile),
            ..self
        }
    }

    /// The ratio, where both figures were measured.
    pub(super) fn ratio(&self, results: &Results) -> Option<f64> {
        Some(value(self.ours, results)? / value(self.other, results)?)
    }

    /// Whether that ratio is on the right side.
    pub(super) fn is_reached(&self, ratio: f64) -> bool {
        match self.bound {
            AtLeast(bound) => ratio >= bound,
            AtMost(bound) => ratio <= bound,
        }
    }

    /// How far a ratio that misses is from the bound, as a share of the bound in percent.
    pub(super) fn missed_by(&self, ratio: f64) -> f64 {
        let (AtLeast(bound) | AtMost(bound)) = self.bound;
        (ratio - bound).abs() / bound * 100.0
    }
}

fn value(measure: Measure, results: &Results) -> Option<f64> {
    match measure {
        Rate(row, contender) => results.rate(row, contender),
        BestPeer(row) => results
            .contenders(row)
            .filter(|contender| !contender.starts_with("Paceline"))
            .filter_map(|contender| results.rate(row, contender))
            .max_by(f64::total_cmp),
        Jobs(row, contender) => results.jobs(row, contender),
        Processing(contender) => PROCESSING
            .iter()
            .filter_map(|row| results.jobs(row, contender))
            .max_by(f64::total_cmp),
        Figure(name) => results.value(name),
        One => Some(1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_have_two_sides() {
        let least = target("x", One, One, AtLeast(5.0));
        let most = target("x", One, One, AtMost(1.5));
        for (target, ratio, reached) in [
            (least, 5.0, true),
            (least, 4.9, false),
            (most, 1.5, true),
            (most, 1.6, false),
        ] {
            assert_eq!(target.is_reached(ratio), reached, "{ratio}");
        }
        assert!((least.missed_by(4.0) - 20.0).abs() < 1e-9);
    }
}
