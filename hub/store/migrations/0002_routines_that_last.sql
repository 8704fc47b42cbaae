-- What the routine engine must not forget: timers, waits, runs, queues, suppression, states.
CREATE TABLE memory (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    content_json TEXT NOT NULL,
    PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;

-- Everything that the engine was told, to play it again through other routines.
CREATE TABLE fact (
    fact_id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    line_json TEXT NOT NULL
) STRICT;
CREATE INDEX fact_by_time ON fact (at);

-- States are remembered in memory now, with their age.
DROP TABLE state;

ALTER TABLE run ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN why TEXT NOT NULL DEFAULT '';
-- 0 dull, 1 failed or stopped, 2 somebody asked for it: what is interesting is kept longer.
ALTER TABLE run ADD COLUMN interest INTEGER NOT NULL DEFAULT 0;
CREATE INDEX run_by_routine ON run (routine, started_at);
CREATE INDEX verdict_by_routine ON verdict (routine, at);
