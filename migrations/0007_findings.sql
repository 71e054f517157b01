-- What the rules R1 to R11 found in the audit log, and how far they have read it.

-- One row for each finding by its key; `finding` is the whole Finding as JSON.
CREATE TABLE findings (
    key TEXT PRIMARY KEY,
    severity TEXT NOT NULL,
    -- When it was found last, by the time of its entries.
    last_us BIGINT NOT NULL,
    finding TEXT NOT NULL,
    -- Until when its alert fires; nothing when none was raised.
    alert_until_us BIGINT,
    closed_at_us BIGINT,
    closed_by TEXT,
    closed_because TEXT,
    closed_entry BIGINT
);
CREATE INDEX findings_latest ON findings (last_us, key);

-- One row: what the rules remember, and the entry to go on with. Reads have a number of their own, because they are written
-- more often than what is remembered.
CREATE TABLE findings_read (
    id BIGINT PRIMARY KEY,
    habits TEXT NOT NULL,
    reads_next BIGINT NOT NULL
);
INSERT INTO findings_read (id, habits, reads_next) VALUES (1, '', 0);

-- The last successful read of each secret by each name that a reader has.
CREATE TABLE secret_reads (
    name TEXT NOT NULL,
    secret TEXT NOT NULL,
    at_us BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    PRIMARY KEY (name, secret)
);

-- Who left, and the entry of the audit log that says so.
CREATE TABLE departures (
    person TEXT PRIMARY KEY,
    at_us BIGINT NOT NULL,
    entry BIGINT NOT NULL
);
