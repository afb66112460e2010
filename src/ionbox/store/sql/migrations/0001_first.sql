-- Who there is, what was submitted and what came of it.
-- Times are microseconds since 1970-01-01T00:00:00Z.

CREATE TABLE organizations (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL
) STRICT;

CREATE TABLE projects (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL
) STRICT;

-- A key's secret is never stored, only its SHA-256.
CREATE TABLE keys (
    id TEXT NOT NULL PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    project_id TEXT NOT NULL REFERENCES projects (id),
    submitter_id TEXT NOT NULL,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;

CREATE TABLE jobs (
    id TEXT NOT NULL PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES projects (id),
    submitter_id TEXT NOT NULL,
    status TEXT NOT NULL
        CHECK (status IN ('submitted', 'ready', 'started', 'completed', 'failed', 'canceled')),
    attempt INTEGER NOT NULL,
    backend TEXT NOT NULL,
    job_type TEXT NOT NULL,
    shots INTEGER NOT NULL,
    seed INTEGER NOT NULL,
    noise_model TEXT NOT NULL,
    name TEXT,
    num_qubits INTEGER NOT NULL,
    gates_1q INTEGER NOT NULL,
    gates_2q INTEGER NOT NULL,
    engine TEXT,
    precision TEXT,
    predicted_seconds REAL NOT NULL,
    memory_bytes INTEGER NOT NULL,
    submitted_at INTEGER NOT NULL,
    started_at INTEGER,
    completed_at INTEGER,
    failure_code TEXT,
    failure_message TEXT,
    warnings TEXT,  -- JSON array of strings
    echo TEXT       -- JSON object: what the caller sent and only wants back
) STRICT;

CREATE INDEX jobs_by_project ON jobs (project_id, id);
CREATE INDEX jobs_unfinished ON jobs (id) WHERE status IN ('submitted', 'ready', 'started');

-- Inputs and results lie in tables of their own, so that the rows of jobs stay narrow.
CREATE TABLE job_inputs (
    job_id TEXT NOT NULL PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    data BLOB NOT NULL
) STRICT;

CREATE TABLE job_results (
    job_id TEXT NOT NULL PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    inline BLOB,
    blob TEXT,
    CHECK ((inline IS NULL) <> (blob IS NULL))
) STRICT;
