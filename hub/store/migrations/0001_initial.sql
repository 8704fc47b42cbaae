CREATE TABLE run (
    run_id TEXT PRIMARY KEY,
    routine TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT,
    result TEXT,
    trace_json TEXT NOT NULL DEFAULT '[]'
) STRICT;
CREATE INDEX run_by_start ON run (started_at);

CREATE TABLE state (
    entity_id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    attributes_json TEXT NOT NULL DEFAULT '{}',
    at TEXT NOT NULL
) STRICT;

CREATE TABLE verdict (
    verdict_id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    routine TEXT NOT NULL,
    "trigger" TEXT NOT NULL,
    verdict TEXT NOT NULL,
    reason TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX verdict_by_time ON verdict (at);
