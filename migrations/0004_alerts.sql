-- Alerts of the rules, from pending to resolved. A pending one whose condition ended is deleted; a resolved one is kept as
-- history. `alert` is all of it as JSON; the other columns repeat what is asked for.
CREATE TABLE alerts (
    id TEXT PRIMARY KEY,
    rule TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    state TEXT NOT NULL,
    active_at_us BIGINT NOT NULL,
    resolved_at_us BIGINT,
    alert TEXT NOT NULL
);
-- One living alert per rule and label set: two evaluations of the same moment cannot both begin one.
CREATE UNIQUE INDEX alerts_living ON alerts (rule, fingerprint) WHERE state <> 'resolved';
CREATE INDEX alerts_history ON alerts (resolved_at_us, id);

-- Rule files as they last were without a fault. A file that is broken now is evaluated as it was then, over restarts too.
CREATE TABLE rule_files (
    path TEXT PRIMARY KEY,
    content TEXT NOT NULL
);
