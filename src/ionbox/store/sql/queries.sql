-- name: first_project^
-- The oldest project.
SELECT id FROM projects ORDER BY rowid LIMIT 1;

-- name: insert_organization!
INSERT INTO organizations (id, name) VALUES (:id, :name);

-- name: insert_project!
INSERT INTO projects (id, organization_id, name) VALUES (:id, :organization_id, :name);

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
-- A page of a project's jobs, newest first. Lists come as JSON arrays; null means any.
SELECT * FROM jobs
WHERE project_id = :project_id
    AND id < :before
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
    AND (:statuses IS NULL OR status IN (SELECT value FROM json_each(:statuses)))
    AND (:backend IS NULL OR backend = :backend)
    AND (:submitter_id IS NULL OR submitter_id = :submitter_id)
ORDER BY id DESC
LIMIT :limit;

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
    echo
) VALUES (
    :id, :project_id, :submitter_id, :status, :attempt, :backend, :job_type, :shots, :seed,
    :noise_model, :name, :num_qubits, :gates_1q, :gates_2q, :engine, :precision,
    :predicted_seconds, :memory_bytes, :submitted_at, :started_at, :completed_at, :failure_code,
    :failure_message, :warnings, :echo
);

-- name: update_job!
-- Write what changes in a job's life, if it still has the expected status and attempt.
UPDATE jobs SET
    status = :status, attempt = :attempt, num_qubits = :num_qubits, gates_1q = :gates_1q,
    gates_2q = :gates_2q, engine = :engine, precision = :precision,
    predicted_seconds = :predicted_seconds, memory_bytes = :memory_bytes,
    started_at = :started_at, completed_at = :completed_at, failure_code = :failure_code,
    failure_message = :failure_message, warnings = :warnings
WHERE id = :id AND status = :expected_status AND attempt = :expected_attempt;

-- name: delete_job!
-- Delete a job; its input and result go with it.
DELETE FROM jobs WHERE id = :id AND project_id = :project_id;

-- name: job_and_input^
-- One job of a project and what it was submitted with.
SELECT jobs.*, data FROM jobs JOIN job_inputs ON job_id = id
WHERE id = :id AND project_id = :project_id;

-- name: insert_job_input!
INSERT INTO job_inputs (job_id, data) VALUES (:job_id, :data);

-- name: result^
-- Where the outcome of a project's job lies.
SELECT inline, blob FROM job_results JOIN jobs ON id = job_id
WHERE job_id = :job_id AND project_id = :project_id;

-- name: insert_result!
INSERT INTO job_results (job_id, inline, blob) VALUES (:job_id, :inline, :blob);

-- name: blobs
-- The name of every blob that a job refers to.
SELECT blob FROM job_results WHERE blob IS NOT NULL;
