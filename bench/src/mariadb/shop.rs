//! The shop on a private `MariaDB`: the rows of the one on `PostgreSQL`, and the table that is exported.

use paceline_test_servers::MariaDb;

/// 10,000 users, 100,000 posts (numbered from 0) of about the demo's length, and `people`.
pub(super) fn start(export_rows: u32) -> (MariaDb, String) {
    // Settings a server has that is meant to be read: what is measured are its clients.
    let server = MariaDb::start_with(&["--innodb-buffer-pool-size=512M", "--max-connections=60"]);
    let database = server.database();
    server.sql(
        &database,
        &format!(
            "CREATE TABLE users(id bigint PRIMARY KEY, name varchar(200) NOT NULL, email varchar(200) NOT NULL,
                 created_at datetime NOT NULL);
             CREATE TABLE posts(id bigint PRIMARY KEY, user_id bigint NOT NULL, title varchar(200) NOT NULL,
                 body text NOT NULL, created_at datetime NOT NULL, FOREIGN KEY (user_id) REFERENCES users(id));
             CREATE TABLE people(id bigint PRIMARY KEY, name varchar(200) NOT NULL, email varchar(200) NOT NULL,
                 created_at datetime NOT NULL);
             INSERT INTO users SELECT seq, CONCAT('Person number ', seq), CONCAT('person.', seq, '@example.com'),
                 '2023-11-14 22:13:20' + INTERVAL seq SECOND FROM seq_1_to_10000;
             INSERT INTO posts SELECT seq, seq % 10000 + 1, CONCAT('What there is to say about number ', seq),
                 REPEAT(CONCAT('Some words of the post number ', seq, '. '), 8),
                 '2023-11-14 22:13:20' + INTERVAL seq MINUTE FROM seq_0_to_99999;
             INSERT INTO people SELECT seq, CONCAT('Person number ', seq), CONCAT('person.', seq, '@example.com'),
                 '2023-11-14 22:13:20' + INTERVAL seq SECOND FROM seq_1_to_{export_rows};
             ANALYZE TABLE users, posts, people;"
        ),
    );
    (server, database)
}
