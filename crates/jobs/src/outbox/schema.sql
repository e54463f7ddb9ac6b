CREATE TABLE IF NOT EXISTS paceline_outbox (
    -- The order in which the jobs are moved.
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT    NOT NULL,
    queue      TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    data       TEXT    NOT NULL,
    options    TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    -- Why the target will never take it.
    refused    TEXT
) STRICT;

CREATE INDEX IF NOT EXISTS paceline_outbox_open ON paceline_outbox (seq) WHERE refused IS NULL;
