PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE backend_documents (
    id INTEGER PRIMARY KEY,
    backend TEXT NOT NULL,
    document BLOB NOT NULL,
    additions TEXT NOT NULL
) STRICT;
CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    project_id TEXT NOT NULL,
    job_id TEXT NOT NULL,
    parent_id TEXT,
    status TEXT NOT NULL,  -- one of a job's, or 'deleted'
    attempt INTEGER NOT NULL
) STRICT;
CREATE TABLE idempotency_keys (
    project_id TEXT NOT NULL REFERENCES projects (id),
    key TEXT NOT NULL,
    request_hash BLOB NOT NULL,  -- SHA-256 of method, path and body
    job_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, key)
) STRICT;
CREATE TABLE job_inputs (
    job_id TEXT NOT NULL PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    data BLOB NOT NULL
) STRICT;
INSERT INTO "job_inputs" VALUES('01a20320-a201-7000-8000-000000000001',X'7B7D');
INSERT INTO "job_inputs" VALUES('01a20320-a202-7000-8000-000000000002',X'7B7D');
CREATE TABLE job_outputs (
    job_id TEXT NOT NULL PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    output TEXT NOT NULL  -- JSON object
) STRICT, WITHOUT ROWID;
CREATE TABLE job_plans (
    job_id TEXT NOT NULL PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    answers TEXT NOT NULL  -- JSON array
) STRICT, WITHOUT ROWID;
INSERT INTO "job_plans" VALUES('01a20320-a201-7000-8000-000000000001','[{"type":"Estimate","engine":"statevector","memory_bytes":608,"seconds":0.0001,"threads":1,"precision":"float64","is_exact":true},{"type":"Refusal","engine":"trajectories","reason":"trajectories are for noise, and for programs that are not one circuit","is_moot":true}]');
CREATE TABLE job_results (
    job_id TEXT NOT NULL PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    inline BLOB,
    blob TEXT,
    CHECK ((inline IS NULL) <> (blob IS NULL))
) STRICT;
INSERT INTO "job_results" VALUES('01a20320-a201-7000-8000-000000000001',X'6F7574636F6D65',NULL);
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
, parent_id TEXT REFERENCES jobs (id) ON DELETE CASCADE, session_id TEXT REFERENCES sessions (id), is_dry_run INTEGER NOT NULL DEFAULT 0, num_circuits INTEGER NOT NULL DEFAULT 1, cost_micros INTEGER NOT NULL DEFAULT 0, threads INTEGER NOT NULL DEFAULT 1, run_threads INTEGER, run_seconds REAL, characterization_id TEXT, urgency INTEGER NOT NULL DEFAULT 3, predicted_wait_seconds REAL, peak_bytes INTEGER) STRICT;
INSERT INTO "jobs" VALUES('01a20320-a201-7000-8000-000000000001','0c2ac5b4-0000-4000-8000-000000000001','0123456789abcdef01234567','completed',1,'simulator','ionq.circuit.v1',100,7,'ideal','Bell pair',2,1,1,'statevector','float64',0.0,0,1795348800000000,1795348800000000,1795348800000000,NULL,NULL,NULL,'{"metadata":{"who":"the dump"}}',NULL,NULL,0,1,0,1,1,0.0002,NULL,3,NULL,NULL);
INSERT INTO "jobs" VALUES('01a20320-a202-7000-8000-000000000002','0c2ac5b4-0000-4000-8000-000000000001','0123456789abcdef01234567','ready',0,'simulator','ionq.circuit.v1',100,7,'ideal',NULL,0,0,0,NULL,NULL,0.0,0,1795348800000000,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,1,0,1,NULL,NULL,NULL,3,NULL,NULL);
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
INSERT INTO "keys" VALUES('0c2ac5b4-0000-4000-8000-000000000001',X'CD916A7613636870D19890E8A8A4B5E435626941F5ECE19B114685B7DE036FC5','0c2ac5b4-0000-4000-8000-000000000001','f21a8a8c586fa490663f41b0','laptop','',1795348800000000,NULL);
CREATE TABLE leases (
    job_id TEXT NOT NULL PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE organizations (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL
) STRICT;
INSERT INTO "organizations" VALUES('org.local','local');
CREATE TABLE projects (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL
) STRICT;
INSERT INTO "projects" VALUES('0c2ac5b4-0000-4000-8000-000000000001','org.local','default');
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
, deleted_cost_micros INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX jobs_unfinished ON jobs (id) WHERE status IN ('submitted', 'ready', 'started');
CREATE INDEX sessions_by_project ON sessions (project_id, id);
CREATE INDEX jobs_by_project ON jobs (project_id, id) WHERE parent_id IS NULL;
CREATE INDEX jobs_by_parent ON jobs (parent_id, status) WHERE parent_id IS NOT NULL;
CREATE INDEX leases_by_expiry ON leases (expires_at);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
CREATE INDEX jobs_by_session_cost ON jobs (session_id, status, is_dry_run, job_type, cost_micros)
    WHERE session_id IS NOT NULL;
CREATE TRIGGER job_inserted AFTER INSERT ON jobs BEGIN
    INSERT INTO events (project_id, job_id, parent_id, status, attempt)
    VALUES (new.project_id, new.id, new.parent_id, new.status, new.attempt);
END;
CREATE TRIGGER job_changed AFTER UPDATE OF status, attempt ON jobs
WHEN new.status <> old.status OR new.attempt <> old.attempt BEGIN
    INSERT INTO events (project_id, job_id, parent_id, status, attempt)
    VALUES (new.project_id, new.id, new.parent_id, new.status, new.attempt);
END;
CREATE TRIGGER job_deleted AFTER DELETE ON jobs BEGIN
    INSERT INTO events (project_id, job_id, parent_id, status, attempt)
    VALUES (old.project_id, old.id, old.parent_id, 'deleted', old.attempt);
END;
CREATE TRIGGER events_bounded AFTER INSERT ON events WHEN new.id % 1024 = 0 BEGIN
    DELETE FROM events WHERE id <= new.id - 200000;
END;
CREATE INDEX jobs_by_status ON jobs (project_id, status, id)
    WHERE parent_id IS NULL AND status <> 'completed';
CREATE INDEX jobs_by_session ON jobs (session_id, id) WHERE session_id IS NOT NULL;
CREATE INDEX jobs_by_backend ON jobs (project_id, backend, id) WHERE parent_id IS NULL;
CREATE INDEX jobs_by_submitter ON jobs (project_id, submitter_id, id) WHERE parent_id IS NULL;
COMMIT;
PRAGMA user_version = 5;
