-- The hash chain (hub.journal.chain). heads: how far each append-only table is chained, and the hash so far. What stood
-- in a table before this migration is not chained: the first link says so.
CREATE TABLE heads (name TEXT PRIMARY KEY, seq INTEGER NOT NULL, hash BLOB NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO heads SELECT 'readings', coalesce(max(seq), 0), zeroblob(32) FROM readings;
INSERT INTO heads SELECT 'events', coalesce(max(seq), 0), zeroblob(32) FROM events;
INSERT INTO heads SELECT 'audit', coalesce(max(seq), 0), zeroblob(32) FROM audit;
INSERT INTO heads SELECT 'turns', coalesce(max(seq), 0), zeroblob(32) FROM turns;
INSERT INTO heads SELECT 'rule_versions', coalesce(max(seq), 0), zeroblob(32) FROM rule_versions;

-- Each link seals the heads of that moment; body is JSON of hub.model.proof.Link. Links are never deleted.
CREATE TABLE links (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, body TEXT NOT NULL, hash BLOB NOT NULL) STRICT;

-- What is left of rows whose time was over: their hashes, so that the rest still proves.
CREATE TABLE erased (name TEXT, seq INTEGER, leaf BLOB NOT NULL, PRIMARY KEY (name, seq)) STRICT, WITHOUT ROWID;
-- Evidence whose time was over: files still to be removed from the disk.
CREATE TABLE removals (path TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
-- Incidents that nothing may be erased of.
CREATE TABLE holds (activation TEXT PRIMARY KEY, at INTEGER NOT NULL, by TEXT NOT NULL, why TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- Time stamps of links by an authority (RFC 3161); token NULL: still to be asked for.
CREATE TABLE stamps (link INTEGER PRIMARY KEY, token BLOB) STRICT;
