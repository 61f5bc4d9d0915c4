-- Instants are microseconds on the hub's clock; bodies are JSON of the types in hub.model.

CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

-- What devices said, append-only.
CREATE TABLE readings (
    seq INTEGER PRIMARY KEY,
    entity TEXT NOT NULL,
    value ANY,
    quality TEXT NOT NULL,
    at INTEGER NOT NULL,
    device_at INTEGER,
    retained INTEGER NOT NULL
) STRICT;
CREATE INDEX readings_by_entity ON readings (entity, at);

-- What was decided, done and noted, append-only; the timeline of an incident is its activation's rows.
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    activation TEXT,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_activation ON events (activation, seq) WHERE activation IS NOT NULL;

-- What the engine remembers; rewritten with every change.
CREATE TABLE states (
    entity TEXT PRIMARY KEY,
    value ANY,
    quality TEXT NOT NULL,
    since INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE slots (rule TEXT, zone TEXT, body TEXT NOT NULL, PRIMARY KEY (rule, zone)) STRICT, WITHOUT ROWID;
CREATE TABLE modes (mode TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE activations (
    id TEXT PRIMARY KEY,
    rule TEXT NOT NULL,
    zone TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    late_by INTEGER NOT NULL,
    cleared_at INTEGER,
    reason TEXT,
    trace TEXT NOT NULL
) STRICT;
CREATE INDEX activations_by_time ON activations (opened_at);

CREATE TABLE incidents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    activation TEXT NOT NULL UNIQUE,
    rule TEXT NOT NULL,
    zone TEXT NOT NULL,
    severity TEXT NOT NULL,
    state TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    closed_at INTEGER,
    reason TEXT
) STRICT;

-- The outbox: a command is here, committed, before anything acts on it.
CREATE TABLE commands (
    key TEXT PRIMARY KEY,
    activation TEXT NOT NULL,
    at INTEGER NOT NULL,
    status TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX commands_to_do ON commands (at) WHERE status IN ('pending', 'started');

CREATE TABLE evidence (
    id TEXT PRIMARY KEY,
    activation TEXT NOT NULL,
    command TEXT NOT NULL,
    path TEXT NOT NULL,
    media_type TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX evidence_by_activation ON evidence (activation);

-- The last messages taken per link, to know a redelivery after a crash (hub.runtime.intake).
CREATE TABLE deliveries (
    seq INTEGER PRIMARY KEY,
    link TEXT NOT NULL,
    mid INTEGER NOT NULL,
    digest BLOB NOT NULL
) STRICT;

CREATE TABLE announcements (
    integration TEXT,
    topic TEXT,
    payload BLOB NOT NULL,
    PRIMARY KEY (integration, topic)
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
    name TEXT PRIMARY KEY,
    role TEXT NOT NULL,
    hash BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
