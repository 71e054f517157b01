-- The desk: organisations, their people, tickets and messages. Ids are UUIDv7 made by the programs, so that the order of ids is the
-- order of time and the primary key pages.

CREATE TABLE organisations (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    -- Seconds until the first deadline, by priority.
    sla_s jsonb NOT NULL DEFAULT '{"low": 259200, "normal": 86400, "high": 14400, "urgent": 3600}',
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE users (
    id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL REFERENCES organisations (id),
    email text NOT NULL CHECK (email = lower(email)),
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('customer', 'agent', 'admin')),
    password_hash text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX users_email ON users (email);
CREATE INDEX users_organisation ON users (organisation_id);

CREATE TABLE tickets (
    id uuid PRIMARY KEY,
    organisation_id uuid NOT NULL REFERENCES organisations (id),
    requester_id uuid NOT NULL REFERENCES users (id),
    subject text NOT NULL,
    description text NOT NULL,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'pending', 'resolved', 'closed')),
    priority text NOT NULL CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
    sla_due_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX tickets_page ON tickets (organisation_id, id DESC);
CREATE INDEX tickets_active ON tickets (status, sla_due_at) WHERE status IN ('open', 'pending');
CREATE INDEX tickets_stale ON tickets (updated_at) WHERE status = 'resolved';

CREATE TABLE ticket_messages (
    id uuid PRIMARY KEY,
    ticket_id uuid NOT NULL REFERENCES tickets (id),
    author_id uuid NOT NULL REFERENCES users (id),
    body text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ticket_messages_page ON ticket_messages (ticket_id, id);

-- A ticket misses its deadline once, however often it is looked at.
CREATE TABLE sla_breaches (
    ticket_id uuid PRIMARY KEY REFERENCES tickets (id),
    due_at timestamptz NOT NULL,
    breached_at timestamptz NOT NULL DEFAULT now()
);

-- What happened and has not been told to the queues yet. A row is written with what it tells of, and deleted once Valkey has the jobs.
CREATE TABLE job_outbox (
    id uuid PRIMARY KEY,
    event text NOT NULL,
    ticket_id uuid NOT NULL,
    organisation_id uuid NOT NULL,
    message_id uuid,
    due_at timestamptz,
    trace text,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- What a job has done for good, so that doing the job again does not do it again.
CREATE TABLE job_effects (
    job_id text NOT NULL,
    effect text NOT NULL,
    done_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (job_id, effect)
);

CREATE TABLE daily_figures (
    organisation_id uuid NOT NULL REFERENCES organisations (id),
    day date NOT NULL,
    name text NOT NULL,
    value bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (organisation_id, day, name)
);

CREATE FUNCTION micros(at timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (extract(epoch FROM at) * 1000000)::bigint;

-- The writes are procedures that commit and then read the position in the log: one round trip, and a replica that has replayed up to
-- that position has certainly replayed the commit, which a position read inside the transaction could not promise.

CREATE PROCEDURE create_ticket(
    p_id uuid, p_outbox uuid, p_organisation uuid, p_requester uuid, p_subject text, p_description text, p_priority text,
    p_trace text, INOUT p_created bigint, INOUT p_due bigint, INOUT p_written text
) LANGUAGE plpgsql AS $$
DECLARE
    v_created timestamptz;
    v_due timestamptz;
BEGIN
    INSERT INTO tickets (id, organisation_id, requester_id, subject, description, priority, sla_due_at)
        SELECT p_id, o.id, p_requester, p_subject, p_description, p_priority,
               now() + make_interval(secs => coalesce((o.sla_s ->> p_priority)::double precision, 86400))
        FROM organisations o WHERE o.id = p_organisation
        RETURNING created_at, sla_due_at INTO v_created, v_due;
    IF v_created IS NULL THEN
        RETURN;
    END IF;
    INSERT INTO job_outbox (id, event, ticket_id, organisation_id, due_at, trace)
        VALUES (p_outbox, 'ticket:created', p_id, p_organisation, v_due, p_trace);
    COMMIT;
    p_created := micros(v_created);
    p_due := micros(v_due);
    p_written := pg_current_wal_insert_lsn()::text;
END $$;

-- `p_requester` limits who may write to one person's own tickets; absent, the whole organisation's.
CREATE PROCEDURE add_message(
    p_id uuid, p_outbox uuid, p_ticket uuid, p_organisation uuid, p_requester uuid, p_author uuid, p_body text, p_trace text,
    INOUT p_status text, INOUT p_created bigint, INOUT p_written text
) LANGUAGE plpgsql AS $$
DECLARE
    v_created timestamptz;
BEGIN
    UPDATE tickets SET updated_at = now()
        WHERE id = p_ticket AND organisation_id = p_organisation AND (p_requester IS NULL OR requester_id = p_requester)
        RETURNING status INTO p_status;
    IF p_status IS NULL OR p_status = 'closed' THEN
        ROLLBACK;
        RETURN;
    END IF;
    INSERT INTO ticket_messages (id, ticket_id, author_id, body) VALUES (p_id, p_ticket, p_author, p_body)
        RETURNING created_at INTO v_created;
    INSERT INTO job_outbox (id, event, ticket_id, organisation_id, message_id, trace)
        VALUES (p_outbox, 'ticket:message_added', p_ticket, p_organisation, p_id, p_trace);
    COMMIT;
    p_created := micros(v_created);
    p_written := pg_current_wal_insert_lsn()::text;
END $$;

CREATE PROCEDURE set_status(
    p_outbox uuid, p_ticket uuid, p_organisation uuid, p_requester uuid, p_trace text,
    INOUT p_status text, INOUT p_updated bigint, INOUT p_written text
) LANGUAGE plpgsql AS $$
DECLARE
    v_updated timestamptz;
BEGIN
    UPDATE tickets SET status = p_status, updated_at = now()
        WHERE id = p_ticket AND organisation_id = p_organisation AND (p_requester IS NULL OR requester_id = p_requester)
        RETURNING updated_at INTO v_updated;
    IF v_updated IS NULL THEN
        RETURN;
    END IF;
    INSERT INTO job_outbox (id, event, ticket_id, organisation_id, trace)
        VALUES (p_outbox, 'ticket:updated', p_ticket, p_organisation, p_trace);
    COMMIT;
    p_updated := micros(v_updated);
    p_written := pg_current_wal_insert_lsn()::text;
END $$;
