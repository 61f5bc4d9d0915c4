-- What people do with an incident (hub.model.incident.Handling): who handled it last, when somebody first answered, how
-- it was judged and why. The steps themselves stand in events, for the timeline, and in audit.
ALTER TABLE incidents ADD COLUMN answered_at INTEGER;
ALTER TABLE incidents ADD COLUMN handler TEXT NOT NULL DEFAULT '';
ALTER TABLE incidents ADD COLUMN verdict TEXT;
ALTER TABLE incidents ADD COLUMN note TEXT NOT NULL DEFAULT '';
CREATE INDEX incidents_not_closed ON incidents (id) WHERE closed_at IS NULL;

-- Every version of the on-call list (hub.model.roster.Roster); the last one is in force.
CREATE TABLE rosters (
    version INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;

-- Shifts handed over: what the one who goes left behind (hub.model.roster.Briefing), and who took it over.
CREATE TABLE handovers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    giver TEXT NOT NULL,
    note TEXT NOT NULL,
    body TEXT NOT NULL,
    taken_at INTEGER,
    taker TEXT NOT NULL DEFAULT ''
) STRICT;
