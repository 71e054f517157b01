-- Decisions of the autoscaler: those that changed a number, and the first of each that was held for another reason.
CREATE TABLE scaling_decisions (
    id TEXT PRIMARY KEY,
    service TEXT NOT NULL,
    at_us BIGINT NOT NULL,
    decision TEXT NOT NULL
);
CREATE INDEX scaling_decisions_service ON scaling_decisions (service, id);

-- Numbers that operators set instead.
CREATE TABLE scaling_manual (
    service TEXT PRIMARY KEY,
    replicas BIGINT NOT NULL,
    until_us BIGINT,
    set_by TEXT NOT NULL,
    reason TEXT NOT NULL
);

-- All that decisions rested on, a stretch of at most a minute in each row: JSON, compressed, base64. Deciding again on it
-- must come to the same.
CREATE TABLE scaling_recordings (
    id TEXT PRIMARY KEY,
    service TEXT NOT NULL,
    at_us BIGINT NOT NULL,
    recording TEXT NOT NULL
);
CREATE INDEX scaling_recordings_service ON scaling_recordings (service, id);
