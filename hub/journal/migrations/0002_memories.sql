-- What rules count, order and measure of an entity beyond its state.
CREATE TABLE memories (entity TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
