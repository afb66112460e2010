-- Jobs on devices: which characterization they run with, and what compiling made of them.

ALTER TABLE jobs ADD COLUMN characterization_id TEXT;

-- Characterizations of backends that the operator brought, and what is said beside each.
CREATE TABLE backend_documents (
    id INTEGER PRIMARY KEY,
    backend TEXT NOT NULL,
    document BLOB NOT NULL,
    additions TEXT NOT NULL
) STRICT;

CREATE TABLE job_outputs (
    job_id TEXT NOT NULL PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    output TEXT NOT NULL  -- JSON object
) STRICT, WITHOUT ROWID;
