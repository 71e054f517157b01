-- Portable between SQLite and PostgreSQL: TEXT, BIGINT (times are UTC microseconds, names end in _us; booleans are
-- 0 and 1), JSON as TEXT, ids are UUIDv7 text made by the server.

-- Single values: the stack's intent, the hash of the stack file that was last served.
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- Wanted replicas where they differ from the stack file.
CREATE TABLE services (
    name TEXT PRIMARY KEY,
    desired BIGINT NOT NULL,
    changed_by TEXT NOT NULL,
    changed_at_us BIGINT NOT NULL
);

-- One row per slot that was ever started. Exits up to reset_generation no longer count as failures.
CREATE TABLE slots (
    service TEXT NOT NULL,
    slot BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    reset_generation BIGINT NOT NULL,
    PRIMARY KEY (service, slot)
);

CREATE TABLE actions (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    service TEXT NOT NULL,
    slot BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    cause TEXT NOT NULL,
    reason TEXT NOT NULL,
    requested_by TEXT NOT NULL,
    requested_at_us BIGINT NOT NULL,
    status TEXT NOT NULL,
    error TEXT,
    finished_at_us BIGINT,
    agent TEXT,
    session TEXT,
    leased_until_us BIGINT
);
-- Two plans at once cannot act twice on a slot.
CREATE UNIQUE INDEX actions_open ON actions (service, slot) WHERE status IN ('requested', 'leased');
CREATE INDEX actions_finished ON actions (finished_at_us);

CREATE TABLE decisions (
    id TEXT PRIMARY KEY,
    at_us BIGINT NOT NULL,
    subject TEXT NOT NULL,
    decision TEXT NOT NULL
);

CREATE TABLE changes (
    id TEXT PRIMARY KEY,
    at_us BIGINT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    actor TEXT NOT NULL,
    summary TEXT NOT NULL
);
CREATE INDEX changes_subject ON changes (subject, id);

-- How generations ended; evidence is the whole Exit as JSON.
CREATE TABLE exits (
    service TEXT NOT NULL,
    slot BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    at_us BIGINT NOT NULL,
    reason TEXT NOT NULL,
    code BIGINT,
    meaning TEXT NOT NULL,
    evidence TEXT NOT NULL,
    PRIMARY KEY (service, slot, generation)
);
CREATE INDEX exits_at ON exits (at_us);

-- Slots that operators want restarted.
CREATE TABLE rolling (
    service TEXT NOT NULL,
    slot BIGINT NOT NULL,
    patient BIGINT NOT NULL,
    requested_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    requested_at_us BIGINT NOT NULL,
    PRIMARY KEY (service, slot)
);

CREATE TABLE operators (
    name TEXT PRIMARY KEY,
    role TEXT NOT NULL,
    token_id TEXT NOT NULL UNIQUE,
    token_hash TEXT NOT NULL,
    created_at_us BIGINT NOT NULL
);

CREATE TABLE agents (
    name TEXT PRIMARY KEY,
    token_id TEXT NOT NULL UNIQUE,
    token_hash TEXT NOT NULL,
    created_at_us BIGINT NOT NULL
);

-- One-time sign-in links; a row is deleted by the one who uses it.
CREATE TABLE links (
    code_hash TEXT PRIMARY KEY,
    operator TEXT NOT NULL,
    expires_at_us BIGINT NOT NULL
);

CREATE TABLE sessions (
    id_hash TEXT PRIMARY KEY,
    operator TEXT NOT NULL,
    expires_at_us BIGINT NOT NULL
);

-- Who may do what only one server may: name 'plan'.
CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    expires_at_us BIGINT NOT NULL
);
