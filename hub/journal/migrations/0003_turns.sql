-- What moved the engine beside readings (hub.model.entry.Turn), for backtests: modes, jumps of the clock, changes of
-- trust, restarts. `reading` is the last reading before it, so that the order holds whatever the clock does.
CREATE TABLE turns (
    seq INTEGER PRIMARY KEY,
    reading INTEGER NOT NULL,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;

-- A backtest reads one entity at a time: with the value in the index it need not look into the table.
DROP INDEX readings_by_entity;
CREATE INDEX readings_by_entity ON readings (entity, at, value, quality);
