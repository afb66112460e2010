-- What each engine answered when a job was planned, and what the run took then.

CREATE TABLE job_plans (
    job_id TEXT NOT NULL PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    answers TEXT NOT NULL  -- JSON array
) STRICT, WITHOUT ROWID;

ALTER TABLE jobs ADD COLUMN threads INTEGER NOT NULL DEFAULT 1;  -- that the plan can make use of
ALTER TABLE jobs ADD COLUMN run_threads INTEGER;  -- that were granted
ALTER TABLE jobs ADD COLUMN run_seconds REAL;
