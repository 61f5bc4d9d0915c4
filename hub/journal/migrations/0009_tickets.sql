-- What must be repaired (hub.journal.tickets). `device` is `<integration>/<name>`, empty while nobody has said which;
-- `incident` is the one that was closed for repair, NULL for a ticket opened by hand.
CREATE TABLE tickets (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    device TEXT NOT NULL,
    incident INTEGER,
    opened_at INTEGER NOT NULL,
    opened_by TEXT NOT NULL,
    note TEXT NOT NULL,
    assigned TEXT NOT NULL DEFAULT '',
    done_at INTEGER,
    done_by TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX tickets_to_do ON tickets (id) WHERE done_at IS NULL;
-- Searches, reports and the noise of devices go by time.
CREATE INDEX incidents_by_time ON incidents (opened_at, id);
