-- The record of who read which secret, and of what operators did. Nothing here is believed when it is verified: see libs/audit.

-- One row: the end of the log. Replaced only by whoever read it last, in the transaction that appends.
CREATE TABLE audit_head (
    id BIGINT PRIMARY KEY,
    size BIGINT NOT NULL,
    link TEXT NOT NULL,
    head TEXT NOT NULL
);

-- `body` holds the canonical bytes as base64, or nothing after retention. The columns before it serve to find entries; verifying
-- compares them with the body.
CREATE TABLE audit_entries (
    seq BIGINT PRIMARY KEY,
    time_ms BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    outcome TEXT NOT NULL,
    device TEXT,
    event TEXT,
    body TEXT,
    leaf TEXT NOT NULL,
    link TEXT NOT NULL
);
CREATE INDEX audit_by_actor ON audit_entries (actor, seq);
CREATE INDEX audit_by_action ON audit_entries (action, seq);
CREATE INDEX audit_by_subject ON audit_entries (subject, seq);
-- What a device sends twice is one entry.
CREATE UNIQUE INDEX audit_by_event ON audit_entries (device, event) WHERE device IS NOT NULL;

CREATE TABLE audit_checkpoints (
    size BIGINT NOT NULL,
    time_ms BIGINT NOT NULL,
    checkpoint TEXT NOT NULL,
    PRIMARY KEY (size, time_ms)
);

CREATE TABLE audit_anchors (
    place TEXT NOT NULL,
    size BIGINT NOT NULL,
    time_ms BIGINT NOT NULL,
    written_ms BIGINT NOT NULL,
    checkpoint TEXT NOT NULL,
    PRIMARY KEY (place, size, time_ms)
);

-- Keys that have signed, the first one first. Whoever verifies keeps the first one elsewhere.
CREATE TABLE audit_keys (
    key TEXT PRIMARY KEY,
    since_seq BIGINT NOT NULL
);
