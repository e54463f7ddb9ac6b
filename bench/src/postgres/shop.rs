//! The shop on a private `PostgreSQL`: as many rows as the demo's, and the table that is exported.

use paceline_test_servers::Postgres;

/// 10,000 users, 100,000 posts (numbered from 0) of about the demo's length, and `people`.
pub(super) fn start(export_rows: u32) -> (Postgres, String) {
    // Settings a server has that is meant to be read: what is measured are its clients.
    let cluster = Postgres::start_with(&[("shared_buffers", "256MB"), ("max_connections", "60")]);
    let database = cluster.database();
    cluster.sql(
        &database,
        &format!(
            "CREATE TABLE users(id bigint PRIMARY KEY, name text NOT NULL, email text NOT NULL, created_at timestamptz NOT NULL);
             CREATE TABLE posts(id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES users, title text NOT NULL,
                 body text NOT NULL, created_at timestamptz NOT NULL);
             CREATE TABLE people(id bigint PRIMARY KEY, name text NOT NULL, email text NOT NULL, created_at timestamptz NOT NULL);
             INSERT INTO users SELECT n, 'Person number ' || n, 'person.' || n || '@example.com',
                 timestamptz '2023-11-14 22:13:20Z' + n * interval '1 second' FROM generate_series(1, 10000) AS n;
             INSERT INTO posts SELECT n, n % 10000 + 1, 'What there is to say about number ' || n,
                 repeat('Some words of the post number ' || n || '. ', 8),
                 timestamptz '2023-11-14 22:13:20Z' + n * interval '1 minute' FROM generate_series(0, 99999) AS n;
             INSERT INTO people SELECT n, 'Person number ' || n, 'person.' || n || '@example.com',
                 timestamptz '2023-11-14 22:13:20Z' + n * interval '1 second' FROM generate_series(1, {export_rows}) AS n;
             CREATE INDEX ON posts(user_id);"
        ),
    );
    cluster.sql(&database, "VACUUM ANALYZE");
    (cluster, database)
}
