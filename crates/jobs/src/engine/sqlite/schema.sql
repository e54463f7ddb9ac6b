CREATE TABLE queues (
    id            INTEGER PRIMARY KEY,
    name          TEXT    NOT NULL UNIQUE,
    paused        INTEGER NOT NULL DEFAULT 0,
    next_position INTEGER NOT NULL DEFAULT 1,
    waiting       INTEGER NOT NULL DEFAULT 0,
    prioritized   INTEGER NOT NULL DEFAULT 0,
    delayed       INTEGER NOT NULL DEFAULT 0,
    active        INTEGER NOT NULL DEFAULT 0,
    completed     INTEGER NOT NULL DEFAULT 0,
    failed        INTEGER NOT NULL DEFAULT 0
) STRICT;

-- state: 0 waiting, 1 prioritized, 2 delayed, 3 active, 4 completed, 5 failed
CREATE TABLE jobs (
    seq            INTEGER PRIMARY KEY AUTOINCREMENT,
    queue          INTEGER NOT NULL REFERENCES queues (id),
    id             TEXT    NOT NULL,
    name           TEXT    NOT NULL,
    state          INTEGER NOT NULL,
    priority       INTEGER NOT NULL,
    position       INTEGER NOT NULL,
    attempts_made  INTEGER NOT NULL DEFAULT 0,
    max_attempts   INTEGER NOT NULL,
    starts         INTEGER NOT NULL DEFAULT 0,
    stalls         INTEGER NOT NULL DEFAULT 0,
    settings       TEXT,
    created_at     INTEGER NOT NULL,
    due_at         INTEGER,
    started_at     INTEGER,
    finished_at    INTEGER,
    expires_at     INTEGER,
    lease_token    TEXT,
    lease_until    INTEGER,
    lease_process  INTEGER,
    failed_reason  TEXT,
    progress       TEXT,
    result         TEXT,
    data           TEXT    NOT NULL,
    UNIQUE (queue, id)
) STRICT;

CREATE INDEX jobs_ready    ON jobs (queue, priority, position) WHERE state IN (0, 1);
CREATE INDEX jobs_delayed  ON jobs (queue, due_at, position)   WHERE state = 2;
CREATE INDEX jobs_active   ON jobs (lease_until)               WHERE state = 3;
CREATE INDEX jobs_finished ON jobs (queue, state, finished_at) WHERE state IN (4, 5);
CREATE INDEX jobs_expiry   ON jobs (expires_at)                WHERE expires_at IS NOT NULL;

-- Attempts that ended otherwise than completed; the running and the completed one are told by the job.
CREATE TABLE attempts (
    job        INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
    start      INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER NOT NULL,
    outcome    INTEGER NOT NULL,
    error      TEXT,
    PRIMARY KEY (job, start)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
    queue       INTEGER NOT NULL REFERENCES queues (id),
    key         TEXT    NOT NULL,
    fingerprint BLOB    NOT NULL,
    job         TEXT    NOT NULL,
    expires_at  INTEGER NOT NULL,
    PRIMARY KEY (queue, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_expiry ON idempotency (expires_at);

CREATE TABLE processes (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    host    TEXT    NOT NULL,
    boot    TEXT    NOT NULL,
    pids    TEXT    NOT NULL,
    pid     INTEGER NOT NULL,
    started TEXT    NOT NULL
) STRICT;
