-- What became of jobs, in order: every status and attempt that one ever had, and its end. Triggers
-- write it, so that whatever changes a job tells of it in the same transaction. Ids have no gaps.

CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
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
