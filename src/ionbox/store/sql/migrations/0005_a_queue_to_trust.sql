-- Who works on a job, and until when that is believed; how jobs wait; what their runs take.

-- A job that is started is held by a lease. One that ran out is nobody's.
CREATE TABLE leases (
    job_id TEXT NOT NULL PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX leases_by_expiry ON leases (expires_at);

ALTER TABLE jobs ADD COLUMN urgency INTEGER NOT NULL DEFAULT 3;  -- 0 is the most urgent
ALTER TABLE jobs ADD COLUMN predicted_wait_seconds REAL;
ALTER TABLE jobs ADD COLUMN peak_bytes INTEGER;

-- What a submission with an Idempotency-Key made. The job may be deleted meanwhile: a repeat is
-- told so, and makes no other.
CREATE TABLE idempotency_keys (
    project_id TEXT NOT NULL REFERENCES projects (id),
    key TEXT NOT NULL,
    request_hash BLOB NOT NULL,  -- SHA-256 of method, path and body
    job_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, key)
) STRICT;

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

-- What a session has spent is a sum over its jobs, and what those cost that were deleted.
ALTER TABLE sessions ADD COLUMN deleted_cost_micros INTEGER NOT NULL DEFAULT 0;
CREATE INDEX jobs_by_session_cost ON jobs (session_id, status, is_dry_run, job_type, cost_micros)
    WHERE session_id IS NOT NULL;

-- What became of jobs, in order: every status and attempt that one ever had, and its end. Triggers
-- write it, so that whatever changes a job tells of it in the same transaction. Ids have no gaps, and
-- none comes twice: the newest event is always kept.

CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    project_id TEXT NOT NULL,
    job_id TEXT NOT NULL,
    parent_id TEXT,
    status TEXT NOT NULL,  -- one of a job's, or 'deleted'
    attempt INTEGER NOT NULL
) STRICT;

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

-- The newest 200,000 are kept, and up to 1,023 more: old ones go many at a time.
CREATE TRIGGER events_bounded AFTER INSERT ON events WHEN new.id % 1024 = 0 BEGIN
    DELETE FROM events WHERE id <= new.id - 200000;
END;

-- Lists that match little among a million jobs. Jobs that are completed are found by walking: they
-- are most of all, so the index leaves them out. Jobs that wait or run pass through it; those that
-- failed or were canceled stay in it until they are deleted.
CREATE INDEX jobs_by_status ON jobs (project_id, status, id)
    WHERE parent_id IS NULL AND status <> 'completed';
CREATE INDEX jobs_by_session ON jobs (session_id, id) WHERE session_id IS NOT NULL;
CREATE INDEX jobs_by_backend ON jobs (project_id, backend, id) WHERE parent_id IS NULL;
CREATE INDEX jobs_by_submitter ON jobs (project_id, submitter_id, id) WHERE parent_id IS NULL;
