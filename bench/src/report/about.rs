//! What the rows of the report are, in words.

/// What each row is, in the order of the report.
pub(super) const ROWS: [(&str, &str); 25] = [
    (
        "list",
        "`GET /api/posts?page=1&limit=20`, page and total, unchanged between requests, 32 connections. Express runs its query and its count each time, once on the tutorial's table, which has no index but its key so that the count reads all rows, and once on our shop file, whose index on `user_id` makes the count cheap; the constant route answers the same bytes from memory.",
    ),
    ("list-gzip", "The same with `Accept-Encoding: gzip`."),
    (
        "list-new",
        "20 rows after a place that is new for each request (`id[gt]=N`), no total, our cache off.",
    ),
    (
        "page-2000",
        "Page 2,000 without total, our cache off: ours by cursor, the others by page number. `Paceline, page 1` is what it is compared with.",
    ),
    ("object", "`GET /api/users/1`."),
    (
        "not-modified",
        "The list with the `If-None-Match` that answers 304 (the constant route: 200).",
    ),
    (
        "noop",
        "A route that does nothing, without and with express-rate-limit. What our limit costs is counted in instructions, below.",
    ),
    (
        "send-email",
        "`POST /send-email`, 32 connections, the worker delivering at the same time. Ours answers after fsync; Express after Redis, which keeps it in memory only.",
    ),
    ("send-email-1", "The same over 1 connection."),
    (
        "send-email-synchronous",
        "What the queue replaces: the mail is sent (3 seconds) before the answer, 32 connections.",
    ),
    (
        "layers-gzip-1",
        "1 KiB of unchanged JSON with `Accept-Encoding: gzip`, the layers alone, 32 connections. `kept` has the encoded bytes in memory, `anew` encodes each time as the peers do; nginx and Caddy stand in front of our origin. Levels are each one's default.",
    ),
    ("layers-gzip-16", "The same with 16 KiB."),
    ("layers-gzip-256", "The same with 256 KiB."),
    ("layers-zstd-1", "1 KiB with zstd, of those who have it."),
    ("layers-zstd-16", "The same with 16 KiB."),
    ("layers-zstd-256", "The same with 256 KiB."),
    (
        "layers-304",
        "16 KiB with the `If-None-Match` that answers 304; ours asks a validator before the handler.",
    ),
    (
        "postgres-list",
        "PostgreSQL, 100,000 posts, 8 connections for each contender. `GET /api/posts?page=1&limit=20`, page and total, unchanged between requests, 32 connections. Ours has versions installed (docs/versions.md) and keeps the answer; Express on `pg` runs its query and its count each time; `json_agg by hand` is a handler on axum and tokio-postgres whose single statement has the server make the JSON and count, in the way of PostgREST; the constant route answers our bytes from memory.",
    ),
    (
        "postgres-page-2000",
        "The same for page 2,000, by its number.",
    ),
    (
        "postgres-list-new",
        "20 rows after a place that is new for each request (`id[gt]=N`), no total, our cache off.",
    ),
    (
        "postgres-object",
        "One post, another one for each request, our cache off. By hand: a prepared statement on axum and tokio-postgres, its columns written by serde.",
    ),
    (
        "mariadb-list",
        "MariaDB, the same 100,000 posts, 8 connections for each contender. `GET /api/posts?page=1&limit=20`, page and total, unchanged between requests, 32 connections. Nothing tells us of changes on MariaDB: there are no table versions and no notifications as on SQLite and PostgreSQL. The validators there are hashes, of an answer's bytes or (rows that can be written) of the row's values, and a hash is known only after the query has run. So each of our answers reads its 20 rows; only the total is remembered, for at most a second, counted by one request while the others wait. That is why the constant route, which asks nobody, is further away than on PostgreSQL. Express on `mysql2` runs its query and its count each time; `JSON_ARRAYAGG by hand` is one statement for both on axum and mysql_async.",
    ),
    (
        "mariadb-page-2000",
        "The same for page 2,000, by its number: every contender has the server pass over 39,980 rows each time.",
    ),
    (
        "mariadb-list-new",
        "20 rows after a place that is new for each request (`id[gt]=N`), no total, our cache off. MariaDB has no pgbench: what can be reached is shown by handlers on axum and mysql_async, the driver we use, with statements prepared once. `by hand` reads the rows and writes them with serde; `JSON_ARRAYAGG by hand` has the server make the JSON.",
    ),
    (
        "mariadb-object",
        "One post, another one for each request, our cache off, beside the same handler.",
    ),
];

/// What each row of jobs is.
pub(super) const JOB_ROWS: [(&str, &str); 6] = [
    (
        "jobs-add",
        "One by one, 32 adds in flight, 200 bytes of payload, default options.",
    ),
    (
        "jobs-add-bulk",
        "1,000 in one call. Ours is all or nothing; BullMQ's is a pipeline of single adds.",
    ),
    (
        "jobs-process-8",
        "Working off waiting jobs with a handler that does nothing, concurrency 8. All but apalis-sqlite, which keeps everything, keep the newest 1,000 completed jobs for a day.",
    ),
    ("jobs-process-32", "The same at concurrency 32."),
    ("jobs-process-256", "The same at concurrency 256."),
    (
        "jobs-process-1024",
        "The same at concurrency 1,024. Targets compare each contender's best of the four: an engine that is answered by the disk needs more jobs under way than one that is not.",
    ),
];
