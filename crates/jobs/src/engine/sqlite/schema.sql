-- All names begin with paceline_, so that the tables may stand in an application's own database.
CREATE TABLE paceline_schema (version INTEGER NOT NULL) STRICT;

CREATE TABLE paceline_queues (
    id               INTEGER PRIMARY KEY,
    name             TEXT    NOT NULL UNIQUE,
    paused           INTEGER NOT NULL DEFAULT 0,
    -- The next places at the end and at the front of the lines.
    next_position    INTEGER NOT NULL DEFAULT 1,
    front_position   INTEGER NOT NULL DEFAULT 0,
    waiting          INTEGER NOT NULL DEFAULT 0,
    prioritized      INTEGER NOT NULL DEFAULT 0,
    delayed          INTEGER NOT NULL DEFAULT 0,
    waiting_children INTEGER NOT NULL DEFAULT 0,
    active           INTEGER NOT NULL DEFAULT 0,
    completed        INTEGER NOT NULL DEFAULT 0,
    failed           INTEGER NOT NULL DEFAULT 0,
    -- QueueSettings as JSON; NULL are the defaults.
    settings         TEXT,
    -- The window of the queue's rate limit: when it ends, and the jobs started in it.
    rate_until       INTEGER NOT NULL DEFAULT 0,
    rate_used        INTEGER NOT NULL DEFAULT 0,
    -- Ready jobs with a group, and the turn that the ready ones without a group had last.
    grouped          INTEGER NOT NULL DEFAULT 0,
    ungrouped_turn   INTEGER NOT NULL DEFAULT 0,
    -- The earliest slot of its schedulers.
    next_slot        INTEGER
) STRICT;

-- state: 0 waiting, 1 prioritized, 2 delayed, 3 waiting-children, 4 active, 5 completed, 6 failed
CREATE TABLE paceline_jobs (
    seq              INTEGER PRIMARY KEY AUTOINCREMENT,
    queue            INTEGER NOT NULL,
    id               TEXT    NOT NULL,
    name             TEXT    NOT NULL,
    state            INTEGER NOT NULL,
    priority         INTEGER NOT NULL,
    position         INTEGER NOT NULL,
    attempts_made    INTEGER NOT NULL DEFAULT 0,
    max_attempts     INTEGER NOT NULL,
    starts           INTEGER NOT NULL DEFAULT 0,
    stalls           INTEGER NOT NULL DEFAULT 0,
    -- The options that matter only later, as JSON.
    settings         TEXT,
    created_at       INTEGER NOT NULL,
    due_at           INTEGER,
    started_at       INTEGER,
    finished_at      INTEGER,
    expires_at       INTEGER,
    lease_token      TEXT,
    lease_until      INTEGER,
    lease_process    INTEGER,
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    failed_reason    TEXT,
    progress         TEXT,
    result           TEXT,
    data             TEXT    NOT NULL,
    -- The group it is served with, by turns.
    group_name       TEXT,
    -- The deduplication it holds.
    deduplication    TEXT,
    -- The scheduler that made it.
    scheduler        TEXT,
    -- The job that waits for it, and the number of children this job still waits for.
    parent           INTEGER,
    pending          INTEGER NOT NULL DEFAULT 0,
    -- Why it fails when its attempt ends, however that ends: a child failed meanwhile.
    deferred_failure TEXT,
    -- Whether attempts, log lines or children were ever noted for it.
    notes            INTEGER NOT NULL DEFAULT 0,
    -- Bytes kept free until the job starts, so that what is stored of a start fits into its place.
    room             BLOB,
    UNIQUE (queue, id)
) STRICT;

CREATE INDEX paceline_jobs_ready    ON paceline_jobs (queue, priority, position) WHERE state IN (0, 1) AND group_name IS NULL;
CREATE INDEX paceline_jobs_grouped  ON paceline_jobs (queue, group_name, priority, position) WHERE state IN (0, 1) AND group_name IS NOT NULL;
-- For listings: groups aside, in the order of arrival.
CREATE INDEX paceline_jobs_arrival  ON paceline_jobs (queue, priority, position) WHERE state IN (0, 1) AND group_name IS NOT NULL;
CREATE INDEX paceline_jobs_delayed  ON paceline_jobs (queue, due_at, position)   WHERE state = 2;
CREATE INDEX paceline_jobs_children ON paceline_jobs (queue, created_at)         WHERE state = 3;
CREATE INDEX paceline_jobs_active   ON paceline_jobs (lease_until)               WHERE state = 4;
CREATE INDEX paceline_jobs_finished ON paceline_jobs (queue, state, finished_at) WHERE state IN (5, 6);
CREATE INDEX paceline_jobs_expiry   ON paceline_jobs (expires_at)                WHERE expires_at IS NOT NULL;
CREATE INDEX paceline_jobs_parent   ON paceline_jobs (parent)                    WHERE parent IS NOT NULL;
-- Jobs of schedulers that never started.
CREATE INDEX paceline_jobs_scheduled ON paceline_jobs (queue, scheduler) WHERE scheduler IS NOT NULL AND starts = 0;

-- Attempts that ended otherwise than completed; the running and the completed one are told by the job.
CREATE TABLE paceline_attempts (
    job        INTEGER NOT NULL,
    start      INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER NOT NULL,
    outcome    INTEGER NOT NULL,
    error      TEXT,
    PRIMARY KEY (job, start)
) STRICT, WITHOUT ROWID;

CREATE TABLE paceline_logs (
    job  INTEGER NOT NULL,
    line INTEGER NOT NULL,
    text TEXT    NOT NULL,
    PRIMARY KEY (job, line)
) STRICT, WITHOUT ROWID;

-- How children ended, kept with the parent: the children themselves may be gone.
-- outcome: 0 pending, 1 completed (value: its result), 2 failed and ignored, 3 failed and fails the parent (value: why)
CREATE TABLE paceline_children (
    parent  INTEGER NOT NULL,
    queue   TEXT    NOT NULL,
    id      TEXT    NOT NULL,
    outcome INTEGER NOT NULL DEFAULT 0,
    value   TEXT,
    PRIMARY KEY (parent, queue, id)
) STRICT, WITHOUT ROWID;

-- What is noted for a job goes with it. Triggers and no foreign keys: they cost nothing for the many jobs that
-- have nothing noted, and work on an application's connection whatever its settings.
CREATE TRIGGER paceline_attempts_noted AFTER INSERT ON paceline_attempts BEGIN
    UPDATE paceline_jobs SET notes = 1 WHERE seq = new.job AND notes = 0;
END;
CREATE TRIGGER paceline_logs_noted AFTER INSERT ON paceline_logs BEGIN
    UPDATE paceline_jobs SET notes = 1 WHERE seq = new.job AND notes = 0;
END;
CREATE TRIGGER paceline_children_noted AFTER INSERT ON paceline_children BEGIN
    UPDATE paceline_jobs SET notes = 1 WHERE seq = new.parent AND notes = 0;
END;
CREATE TRIGGER paceline_jobs_gone AFTER DELETE ON paceline_jobs WHEN old.notes = 1 BEGIN
    DELETE FROM paceline_attempts WHERE job = old.seq;
    DELETE FROM paceline_logs WHERE job = old.seq;
    DELETE FROM paceline_children WHERE parent = old.seq;
END;

-- The job that holds a deduplication id; next is the newest add kept while the holder is active.
CREATE TABLE paceline_deduplications (
    queue      INTEGER NOT NULL,
    id         TEXT    NOT NULL,
    job        TEXT    NOT NULL,
    expires_at INTEGER,
    next       TEXT,
    PRIMARY KEY (queue, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX paceline_deduplications_expiry ON paceline_deduplications (expires_at) WHERE expires_at IS NOT NULL;

-- Groups with ready or active jobs, or with a window of their rate limit in force.
CREATE TABLE paceline_groups (
    queue      INTEGER NOT NULL,
    name       TEXT    NOT NULL,
    ready      INTEGER NOT NULL DEFAULT 0,
    active     INTEGER NOT NULL DEFAULT 0,
    -- Its place among the groups; the lowest is next. Given anew with each job and when it becomes ready.
    turn       INTEGER NOT NULL DEFAULT 0,
    -- When it may be served: 0 now, a time when its window ends, NULL when one of its jobs ends.
    open_at    INTEGER DEFAULT 0,
    rate_until INTEGER NOT NULL DEFAULT 0,
    rate_used  INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (queue, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX paceline_groups_turn   ON paceline_groups (queue, turn)    WHERE ready > 0 AND open_at = 0;
CREATE INDEX paceline_groups_window ON paceline_groups (queue, open_at) WHERE ready > 0 AND open_at > 0;
CREATE INDEX paceline_groups_idle   ON paceline_groups (rate_until)     WHERE ready = 0 AND active = 0;

CREATE TABLE paceline_schedulers (
    queue   INTEGER NOT NULL,
    id      TEXT    NOT NULL,
    -- The definition as JSON, and how many jobs it made.
    body    TEXT    NOT NULL,
    made    INTEGER NOT NULL DEFAULT 0,
    -- The last slot that was made or left out, and the next one; NULL when there is none any more.
    last_at INTEGER,
    next_at INTEGER,
    PRIMARY KEY (queue, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX paceline_schedulers_next  ON paceline_schedulers (next_at)        WHERE next_at IS NOT NULL;
CREATE INDEX paceline_schedulers_queue ON paceline_schedulers (queue, next_at) WHERE next_at IS NOT NULL;

CREATE TABLE paceline_idempotency (
    queue       INTEGER NOT NULL,
    key         TEXT    NOT NULL,
    fingerprint BLOB    NOT NULL,
    job         TEXT    NOT NULL,
    expires_at  INTEGER NOT NULL,
    PRIMARY KEY (queue, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX paceline_idempotency_expiry ON paceline_idempotency (expires_at);

CREATE TABLE paceline_processes (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    host    TEXT    NOT NULL,
    boot    TEXT    NOT NULL,
    pids    TEXT    NOT NULL,
    pid     INTEGER NOT NULL,
    started TEXT    NOT NULL
) STRICT;
