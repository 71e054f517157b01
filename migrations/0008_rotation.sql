-- Renewals of secrets: the phase is written down before its work is done, so that each step is begun once and can be done again.
CREATE TABLE secret_rotations (
    id TEXT PRIMARY KEY,
    secret TEXT NOT NULL,
    method TEXT NOT NULL,
    phase TEXT NOT NULL,
    requested_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    began_at_us BIGINT NOT NULL,
    phase_at_us BIGINT NOT NULL,
    -- The database user whose turn it is.
    login TEXT,
    -- When the value before is dropped.
    until_us BIGINT,
    -- What it waits for, or why it does not go on.
    waits_for TEXT,
    ended_at_us BIGINT
);
-- A secret is renewed once at a time.
CREATE UNIQUE INDEX secret_rotations_open ON secret_rotations (secret) WHERE ended_at_us IS NULL;

-- Keyed fingerprints of the values last seen, to tell a renewal from the same value again; the key lies outside.
CREATE TABLE secret_prints (
    secret TEXT PRIMARY KEY,
    key_id TEXT NOT NULL,
    print TEXT NOT NULL,
    seen_at_us BIGINT NOT NULL,
    -- When a renewal last left the value as it was; nothing once it changed.
    same_at_us BIGINT
);

-- Reads that take a second admin's word.
CREATE TABLE secret_requests (
    id TEXT PRIMARY KEY,
    secret TEXT NOT NULL,
    requested_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    at_us BIGINT NOT NULL,
    until_us BIGINT NOT NULL,
    approved_by TEXT,
    -- `read` or `expired`, once it is over.
    outcome TEXT
);
CREATE UNIQUE INDEX secret_requests_open ON secret_requests (secret, requested_by) WHERE outcome IS NULL;

-- Values that were recorded as handed out and whose answer is not known to have been sent.
CREATE TABLE secret_handouts (
    id TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    at_us BIGINT NOT NULL,
    -- The first of the entries that record it, and what they are of.
    seq BIGINT NOT NULL,
    actor TEXT NOT NULL,
    secrets TEXT NOT NULL
);
