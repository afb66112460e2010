-- Lists that match little among a million jobs. Jobs that are completed are found by walking: they
-- are most of all, and every job passes through the other statuses, so that index stays small.
CREATE INDEX jobs_by_status ON jobs (project_id, status, id)
    WHERE parent_id IS NULL AND status <> 'completed';
CREATE INDEX jobs_by_session ON jobs (session_id, id) WHERE session_id IS NOT NULL;
CREATE INDEX jobs_by_backend ON jobs (project_id, backend, id) WHERE parent_id IS NULL;
CREATE INDEX jobs_by_submitter ON jobs (project_id, submitter_id, id) WHERE parent_id IS NULL;
