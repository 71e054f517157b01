-- What operators wanted of queues, and what came of it: `operation` as JSON is what was asked. Nothing of what jobs carry is
-- kept here, so what was looked at is not, only who looked.
CREATE TABLE queue_commands (
    id TEXT PRIMARY KEY,
    store TEXT NOT NULL,
    queue TEXT NOT NULL,
    operation TEXT NOT NULL,
    -- 1 when it changes the queue, 0 when it only looks.
    changing BIGINT NOT NULL,
    requested_by TEXT NOT NULL,
    requested_at_us BIGINT NOT NULL,
    status TEXT NOT NULL,
    -- Jobs that the agent's present session has told of, and that earlier ones had.
    done BIGINT NOT NULL DEFAULT 0,
    carried BIGINT NOT NULL DEFAULT 0,
    -- 1 when jobs were left because of the limit or the time.
    more BIGINT NOT NULL DEFAULT 0,
    error TEXT,
    finished_at_us BIGINT,
    agent TEXT NOT NULL,
    session TEXT,
    leased_until_us BIGINT
);
-- Two operators at once cannot pull at one queue.
CREATE UNIQUE INDEX queue_commands_open ON queue_commands (store, queue)
    WHERE changing = 1 AND status IN ('requested', 'leased');
CREATE INDEX queue_commands_queue ON queue_commands (store, queue, id);
CREATE INDEX queue_commands_finished ON queue_commands (finished_at_us);
