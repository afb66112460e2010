-- Jobs of many circuits, sessions, dry runs, and what a job costs.

CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES projects (id),
    creator_id TEXT NOT NULL,
    backend TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    ender_id TEXT,
    num_jobs INTEGER NOT NULL,  -- that it has taken, deleted ones too
    settings TEXT NOT NULL  -- JSON object
) STRICT;

CREATE INDEX sessions_by_project ON sessions (project_id, id);

-- A parent takes its children with it.
ALTER TABLE jobs ADD COLUMN parent_id TEXT REFERENCES jobs (id) ON DELETE CASCADE;
ALTER TABLE jobs ADD COLUMN session_id TEXT REFERENCES sessions (id);
ALTER TABLE jobs ADD COLUMN is_dry_run INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN num_circuits INTEGER NOT NULL DEFAULT 1;
-- In millionths of the price book's currency.
ALTER TABLE jobs ADD COLUMN cost_micros INTEGER NOT NULL DEFAULT 0;

-- Lists show children only when they are asked for.
DROP INDEX jobs_by_project;
CREATE INDEX jobs_by_project ON jobs (project_id, id) WHERE parent_id IS NULL;
CREATE INDEX jobs_by_parent ON jobs (parent_id, status) WHERE parent_id IS NOT NULL;
