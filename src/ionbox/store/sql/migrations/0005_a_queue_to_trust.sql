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
