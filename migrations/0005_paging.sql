-- What is told to whom. Groups and members are what was told so far; a notification is what is told at once; a delivery is its
-- way to one integration of a receiver; an attempt is one try. All of it changes in the transaction in which alerts change.

-- Alerts that others send end by themselves when they are not sent again.
ALTER TABLE alerts ADD COLUMN ends_at_us BIGINT;
CREATE INDEX alerts_ends ON alerts (ends_at_us);

CREATE TABLE alert_groups (
    id TEXT PRIMARY KEY,
    receiver TEXT NOT NULL,
    group_key TEXT NOT NULL,
    labels TEXT NOT NULL,
    created_at_us BIGINT NOT NULL,
    told_at_us BIGINT
);

CREATE TABLE alert_group_members (
    group_id TEXT NOT NULL,
    alert TEXT NOT NULL,
    told TEXT NOT NULL,
    told_as TEXT NOT NULL,
    hold_until_us BIGINT,
    PRIMARY KEY (group_id, alert)
);

CREATE TABLE silences (
    id TEXT PRIMARY KEY,
    ends_at_us BIGINT NOT NULL,
    updated_at_us BIGINT NOT NULL,
    silence TEXT NOT NULL
);
CREATE INDEX silences_ends ON silences (ends_at_us);

-- What arrives from outside and waits for the server that decides: posted alerts, changed silences, acknowledgements.
-- A row is deleted in the transaction in which it takes effect.
CREATE TABLE alert_inbox (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    body TEXT NOT NULL
);

CREATE TABLE notifications (
    id TEXT PRIMARY KEY,
    receiver TEXT NOT NULL,
    incident TEXT,
    created_at_us BIGINT NOT NULL,
    notification TEXT NOT NULL
);
CREATE INDEX notifications_by_time ON notifications (created_at_us, id);
CREATE INDEX notifications_by_incident ON notifications (incident, created_at_us);

-- Of one lane (an integration and a group, or an integration and an alert) only the oldest waiting delivery is sent: order
-- is kept, and a lane that waits holds up no other.
CREATE TABLE deliveries (
    id TEXT PRIMARY KEY,
    notification TEXT NOT NULL,
    receiver TEXT NOT NULL,
    integration TEXT NOT NULL,
    lane TEXT NOT NULL,
    alert TEXT,
    status TEXT NOT NULL,
    created_at_us BIGINT NOT NULL,
    next_attempt_at_us BIGINT,
    attempts BIGINT NOT NULL,
    -- An attempt ended without an answer: the receiver may have it.
    uncertain BIGINT NOT NULL,
    holder TEXT,
    lease_until_us BIGINT,
    ended_at_us BIGINT
);
CREATE INDEX deliveries_waiting ON deliveries (next_attempt_at_us) WHERE status = 'pending';
CREATE INDEX deliveries_lane ON deliveries (lane, created_at_us) WHERE status = 'pending';
CREATE INDEX deliveries_by_notification ON deliveries (notification);

CREATE TABLE delivery_attempts (
    delivery TEXT NOT NULL,
    number BIGINT NOT NULL,
    at_us BIGINT NOT NULL,
    took_ms BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (delivery, number)
);

CREATE TABLE incidents (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    opened_at_us BIGINT NOT NULL,
    look_at_us BIGINT,
    resolved_at_us BIGINT,
    incident TEXT NOT NULL
);
CREATE INDEX incidents_by_time ON incidents (opened_at_us, id);
CREATE INDEX incidents_due ON incidents (look_at_us);

CREATE TABLE incident_alerts (
    alert TEXT NOT NULL,
    incident TEXT NOT NULL,
    resolved BIGINT NOT NULL,
    PRIMARY KEY (alert, incident)
);
CREATE INDEX incident_alerts_of ON incident_alerts (incident);

CREATE TABLE incident_groups (
    group_id TEXT PRIMARY KEY,
    incident TEXT NOT NULL
);

-- Links that acknowledge with one click work once.
CREATE TABLE used_ack_links (
    id TEXT PRIMARY KEY,
    expires_at_us BIGINT NOT NULL
);

-- When a job that should report in did so last.
CREATE TABLE heartbeats (
    name TEXT PRIMARY KEY,
    at_us BIGINT NOT NULL
);
