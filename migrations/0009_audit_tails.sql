-- How far the files of audit devices were read, by the host that reads them. Changes in the transaction that appends what was read.
CREATE TABLE audit_tails (
    source TEXT NOT NULL,
    host TEXT NOT NULL,
    -- Which file: device and inode.
    file TEXT NOT NULL,
    position BIGINT NOT NULL,
    -- Hash of its first bytes, and of how many: inodes are used again.
    head TEXT NOT NULL,
    head_bytes BIGINT NOT NULL,
    -- What is wrong with it, as a word; empty when nothing is.
    fault TEXT NOT NULL,
    PRIMARY KEY (source, host)
);
