-- name: first_project^
-- The oldest project.
SELECT id FROM projects ORDER BY rowid LIMIT 1;

-- name: insert_organization!
INSERT INTO organizations (id, name) VALUES (:id, :name);

-- name: insert_project!
INSERT INTO projects (id, organization_id, name) VALUES (:id, :organization_id, :name);

-- name: project^
SELECT id, organization_id, name FROM projects WHERE id = :id;

-- name: key^
-- A key by its hash, revoked or not.
SELECT * FROM keys WHERE hash = :hash;

-- name: keys
-- Every key, oldest first.
SELECT * FROM keys ORDER BY created_at;

-- name: insert_key!
INSERT INTO keys (id, hash, project_id, submitter_id, name, prefix, created_at)
VALUES (:id, :hash, :project_id, :submitter_id, :name, :prefix, :created_at);

-- name: revoke_key!
-- Revoke a key that is not revoked yet.
UPDATE keys SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL;

-- name: job^
-- One job of a project.
SELECT * FROM jobs WHERE id = :id AND project_id = :project_id;

-- name: jobs
-- A page of a project's jobs, children apart, newest first. Lists come as JSON arrays; null means
-- any.
SELECT * FROM jobs
WHERE project_id = :project_id
    AND parent_id IS NULL
    AND id < :before
    AND (:session_id IS NULL OR session_id = :session_id)
    AND (:statuses IS NULL OR status IN (SELECT value FROM json_each(:statuses)))
    AND (:backend IS NULL OR backend = :backend)
    AND (:submitter_id IS NULL OR submitter_id = :submitter_id)
ORDER BY id DESC
LIMIT :limit;

-- name: jobs_of_ids
-- As `jobs`, looked up by id instead of walking through the project.
SELECT * FROM jobs
WHERE id IN (SELECT value FROM json_each(:ids))
    AND +project_id = :project_id  -- the plus keeps SQLite from walking the project after all
    AND id < :before
    AND (:parent_id IS NULL OR parent_id = :parent_id)
    AND (:session_id IS NULL OR session_id = :session_id)
    AND (:statuses IS NULL OR status IN (SELECT value FROM json_each(:statuses)))
    AND (:backend IS NULL OR backend = :backend)
    AND (:submitter_id IS NULL OR submitter_id = :submitter_id)
ORDER BY id DESC
LIMIT :limit;

-- name: jobs_of_parent
-- As `jobs`, of the children of one job.
SELECT * FROM jobs
WHERE parent_id = :parent_id
    AND +project_id = :project_id
    AND id < :before
    AND (:session_id IS NULL OR session_id = :session_id)
    AND (:statuses IS NULL OR status IN (SELECT value FROM json_each(:statuses)))
    AND (:backend IS NULL OR backend = :backend)
    AND (:submitter_id IS NULL OR submitter_id = :submitter_id)
ORDER BY id DESC
LIMIT :limit;

-- name: jobs_of_session
-- As `jobs`, of one session.
SELECT * FROM jobs INDEXED BY jobs_by_session
WHERE session_id = :session_id
    AND project_id = :project_id
    AND parent_id IS NULL
    AND id < :before
    AND (:statuses IS NULL OR status IN (SELECT value FROM json_each(:statuses)))
    AND (:backend IS NULL OR backend = :backend)
    AND (:submitter_id IS NULL OR submitter_id = :submitter_id)
ORDER BY id DESC
LIMIT :limit;

-- name: jobs_of_status
-- As `jobs`, of one status that is not `completed`.
SELECT * FROM jobs INDEXED BY jobs_by_status
WHERE project_id = :project_id
    AND status = :statuses ->> 0
    AND status <> 'completed'
    AND parent_id IS NULL
    AND id < :before
    AND (:backend IS NULL OR backend = :backend)
    AND (:submitter_id IS NULL OR submitter_id = :submitter_id)
ORDER BY id DESC
LIMIT :limit;

-- name: jobs_of_backend
-- As `jobs`, of one backend.
SELECT * FROM jobs INDEXED BY jobs_by_backend
WHERE project_id = :project_id
    AND backend = :backend
    AND parent_id IS NULL
    AND id < :before
    AND (:statuses IS NULL OR status IN (SELECT value FROM json_each(:statuses)))
    AND (:submitter_id IS NULL OR submitter_id = :submitter_id)
ORDER BY id DESC
LIMIT :limit;

-- name: jobs_of_submitter
-- As `jobs`, of one submitter.
SELECT * FROM jobs INDEXED BY jobs_by_submitter
WHERE project_id = :project_id
    AND submitter_id = :submitter_id
    AND parent_id IS NULL
    AND id < :before
    AND (:statuses IS NULL OR status IN (SELECT value FROM json_each(:statuses)))
    AND (:backend IS NULL OR backend = :backend)
ORDER BY id DESC
LIMIT :limit;

-- name: children
-- The children of a job, in the order of their circuits.
SELECT * FROM jobs WHERE parent_id = :parent_id ORDER BY id;

-- name: child_ids
-- The ids of the children of a job, in the order of their circuits.
SELECT id FROM jobs WHERE parent_id = :parent_id ORDER BY id;

-- name: child_statuses
-- How many children of a job have each status.
SELECT status, count(*) AS number FROM jobs WHERE parent_id = :parent_id GROUP BY status;

-- name: unfinished_jobs
-- A page of the jobs that have not ended, oldest first.
SELECT * FROM jobs
WHERE status IN ('submitted', 'ready', 'started') AND id > :after
ORDER BY id
LIMIT :limit;

-- name: insert_job!
INSERT INTO jobs (
    id, project_id, submitter_id, status, attempt, backend, job_type, shots, seed,
    noise_model, name, num_qubits, gates_1q, gates_2q, engine, precision, predicted_seconds,
    memory_bytes, submitted_at, started_at, completed_at, failure_code, failure_message, warnings,
    echo, parent_id, session_id, is_dry_run, num_circuits, cost_micros, threads, run_threads,
    run_seconds, characterization_id, urgency, predicted_wait_seconds, peak_bytes
) VALUES (
    :id, :project_id, :submitter_id, :status, :attempt, :backend, :job_type, :shots, :seed,
    :noise_model, :name, :num_qubits, :gates_1q, :gates_2q, :engine, :precision,
    :predicted_seconds, :memory_bytes, :submitted_at, :started_at, :completed_at, :failure_code,
    :failure_message, :warnings, :echo, :parent_id, :session_id, :is_dry_run, :num_circuits,
    :cost_micros, :threads, :run_threads, :run_seconds, :characterization_id, :urgency,
    :predicted_wait_seconds, :peak_bytes
);

-- name: update_job!
-- Write what changes in a job's life, if it still has the expected status and attempt.
UPDATE jobs SET
    status = :status, attempt = :attempt, num_qubits = :num_qubits, gates_1q = :gates_1q,
    gates_2q = :gates_2q, engine = :engine, precision = :precision,
    predicted_seconds = :predicted_seconds, memory_bytes = :memory_bytes,
    started_at = :started_at, completed_at = :completed_at, failure_code = :failure_code,
    failure_message = :failure_message, warnings = :warnings, cost_micros = :cost_micros,
    threads = :threads, run_threads = :run_threads, run_seconds = :run_seconds,
    predicted_wait_seconds = :predicted_wait_seconds, peak_bytes = :peak_bytes
WHERE id = :id AND status = :expected_status AND attempt = :expected_attempt;

-- name: claim_job!
-- Hold a job that was just written as started; whoever held it before holds it no more.
INSERT INTO leases (job_id, attempt, expires_at) VALUES (:job_id, :attempt, :expires_at)
ON CONFLICT (job_id) DO UPDATE SET attempt = excluded.attempt, expires_at = excluded.expires_at;

-- name: renew_lease!
-- Hold a job for longer, if this attempt still holds it.
UPDATE leases SET expires_at = :expires_at WHERE job_id = :job_id AND attempt = :attempt;

-- name: end_lease!
DELETE FROM leases WHERE job_id = :job_id;

-- name: expired_leases
-- A page of the jobs whose lease ran out, longest ago first.
SELECT jobs.* FROM leases JOIN jobs ON id = job_id
WHERE expires_at < :now
ORDER BY expires_at
LIMIT :limit;

-- name: delete_job!
-- Delete a job; its input and result go with it.
DELETE FROM jobs WHERE id = :id AND project_id = :project_id;

-- name: job_and_input^
-- One job of a project and what it was submitted with.
SELECT jobs.*, data FROM jobs JOIN job_inputs ON job_id = id
WHERE id = :id AND project_id = :project_id;

-- name: insert_job_input!
INSERT INTO job_inputs (job_id, data) VALUES (:job_id, :data);

-- name: job_and_plan^
-- One job of a project, and what the engines answered when it was planned.
SELECT jobs.*, answers FROM jobs LEFT JOIN job_plans ON job_id = id
WHERE id = :id AND project_id = :project_id;

-- name: job_output^
-- What compiling and mitigation made of one job of a project.
SELECT output FROM job_outputs JOIN jobs ON id = job_id
WHERE job_id = :id AND project_id = :project_id;

-- name: insert_output!
-- A job that is planned again is compiled again.
INSERT INTO job_outputs (job_id, output) VALUES (:job_id, :output)
ON CONFLICT (job_id) DO UPDATE SET output = excluded.output;

-- name: insert_plan!
INSERT INTO job_plans (job_id, answers) VALUES (:job_id, :answers)
ON CONFLICT (job_id) DO UPDATE SET answers = excluded.answers;

-- name: result^
-- Where the outcome of a project's job lies.
SELECT inline, blob FROM job_results JOIN jobs ON id = job_id
WHERE job_id = :job_id AND project_id = :project_id;

-- name: insert_result!
INSERT INTO job_results (job_id, inline, blob) VALUES (:job_id, :inline, :blob);

-- name: blobs
-- The name of every blob that a job refers to.
SELECT blob FROM job_results WHERE blob IS NOT NULL;

-- name: event_ids^
-- The ids of the oldest and of the newest event that are kept; null where there is none.
SELECT (SELECT min(id) FROM events) AS oldest, (SELECT max(id) FROM events) AS newest;

-- name: events
-- What became of a project's jobs, by a span of ids.
SELECT id, project_id, job_id, parent_id, status, attempt FROM events
WHERE id >= :start AND id < :stop AND project_id = :project_id
ORDER BY id;

-- name: new_events
-- What became of all jobs since.
SELECT id, project_id, job_id, parent_id, status, attempt FROM events WHERE id > :after
ORDER BY id;

-- name: session^
-- One session of a project.
SELECT * FROM sessions WHERE id = :id AND project_id = :project_id;

-- name: sessions
-- The sessions of a project, newest first.
SELECT * FROM sessions WHERE project_id = :project_id ORDER BY id DESC;

-- name: insert_session!
INSERT INTO sessions (
    id, project_id, creator_id, backend, created_at, started_at, ended_at, ender_id, num_jobs,
    settings
) VALUES (
    :id, :project_id, :creator_id, :backend, :created_at, :started_at, :ended_at, :ender_id,
    :num_jobs, :settings
);

-- name: update_session!
-- Write what changes in a session's life.
UPDATE sessions SET
    started_at = :started_at, ended_at = :ended_at, ender_id = :ender_id, num_jobs = :num_jobs
WHERE id = :id;

-- name: session_cost^
-- What the jobs of a session cost that did not fail; those deleted after they were completed, too.
SELECT deleted_cost_micros + (
    SELECT coalesce(sum(cost_micros), 0) FROM jobs
    WHERE session_id = sessions.id
        AND status NOT IN ('failed', 'canceled')
        AND NOT is_dry_run
        AND job_type <> :parent_type
) AS cost_micros FROM sessions WHERE id = :id;

-- name: add_deleted_cost!
UPDATE sessions SET deleted_cost_micros = deleted_cost_micros + :cost_micros WHERE id = :id;

-- name: usage
-- What the jobs of an organization took, by day (from 1970), project, submitter and backend.
SELECT
    submitted_at / 86400000000 AS day,
    project_id,
    projects.name AS project_name,
    submitter_id,
    backend,
    count(*) AS num_jobs,
    sum(CASE WHEN status = 'completed' AND NOT is_dry_run THEN cost_micros ELSE 0 END)
        AS cost_micros,
    sum(coalesce(completed_at - started_at, 0)) AS time_us
FROM jobs JOIN projects ON projects.id = project_id
WHERE organization_id = :organization_id
    AND parent_id IS NULL
    AND submitted_at >= :start AND submitted_at < :end
GROUP BY day, project_id, submitter_id, backend
ORDER BY day;

-- name: backend_documents
-- Every document of a backend, oldest first.
SELECT backend, document, additions FROM backend_documents ORDER BY id;

-- name: insert_backend_document!
INSERT INTO backend_documents (backend, document, additions)
VALUES (:backend, :document, :additions);

-- name: delete_backend_documents!
-- Forget all documents of one backend.
DELETE FROM backend_documents WHERE backend = :backend;

-- name: repeated^
-- What a key made since then, and the job, whose columns are null if it was deleted.
SELECT request_hash, job_id, jobs.* FROM idempotency_keys AS keys
LEFT JOIN jobs ON jobs.id = job_id
WHERE keys.project_id = :project_id AND key = :key AND created_at > :since;

-- name: put_idempotency_key!
-- A key that has expired may be used anew.
INSERT INTO idempotency_keys (project_id, key, request_hash, job_id, created_at)
VALUES (:project_id, :key, :request_hash, :job_id, :created_at)
ON CONFLICT (project_id, key) DO UPDATE SET
    request_hash = excluded.request_hash, job_id = excluded.job_id,
    created_at = excluded.created_at;

-- name: purge_idempotency_keys!
-- Forget the oldest of the keys that have expired; a negative limit is none.
DELETE FROM idempotency_keys WHERE rowid IN (
    SELECT rowid FROM idempotency_keys WHERE created_at <= :until ORDER BY created_at LIMIT :limit
);
