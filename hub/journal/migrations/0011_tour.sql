-- Facade tours (hub.journal.tour). `stop` is hub.model.site.Stop.id. What a tour saw and what people said of it is also
-- a row of `events` or `audit` each, which are chained; these tables are what pages ask.
CREATE TABLE tour_runs (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, by TEXT NOT NULL, ended_at INTEGER) STRICT;
-- Files, written once: a whole picture, and the two cut-outs of a candidate.
CREATE TABLE tour_pictures (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    stop TEXT NOT NULL,
    at INTEGER NOT NULL,
    path TEXT NOT NULL,
    media_type TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL
) STRICT;
CREATE INDEX tour_pictures_by_time ON tour_pictures (at);
-- What came of each look at a stop; picture NULL where the camera gave none.
CREATE TABLE tour_looks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL,
    stop TEXT NOT NULL,
    at INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    found INTEGER NOT NULL,
    beyond INTEGER NOT NULL,
    picture INTEGER
) STRICT;
CREATE INDEX tour_looks_by_stop ON tour_looks (stop, id);
-- The picture of each stop that a person accepted last.
CREATE TABLE tour_references (stop TEXT PRIMARY KEY, picture INTEGER NOT NULL, at INTEGER NOT NULL, by TEXT NOT NULL) STRICT, WITHOUT ROWID;
-- What differs; state is `open`, or what a person said, or `gone`: a later picture showed the accepted state again.
CREATE TABLE tour_candidates (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    stop TEXT NOT NULL,
    at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    box TEXT NOT NULL,
    before INTEGER NOT NULL,
    after INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'open',
    judged_at INTEGER,
    judged_by TEXT NOT NULL DEFAULT '',
    ticket INTEGER
) STRICT;
CREATE INDEX tour_candidates_by_stop ON tour_candidates (stop, state);
-- Checks before a typhoon: each line is ticked by a person.
CREATE TABLE tour_checks (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, by TEXT NOT NULL) STRICT;
CREATE TABLE tour_ticks (
    check_id INTEGER, stop TEXT, at INTEGER NOT NULL, by TEXT NOT NULL, PRIMARY KEY (check_id, stop)
) STRICT, WITHOUT ROWID;
ALTER TABLE tickets ADD COLUMN candidate INTEGER;
