-- Every text that a rule's file has had. `text` NULL: the file was deleted. `author` empty: found on the disk, edited by hand.
CREATE TABLE rule_versions (
    seq INTEGER PRIMARY KEY,
    file TEXT NOT NULL,
    rule TEXT NOT NULL,
    at INTEGER NOT NULL,
    author TEXT NOT NULL,
    reason TEXT NOT NULL,
    text TEXT
) STRICT;
CREATE INDEX rule_versions_by_file ON rule_versions (file, seq);
-- When a rule fired last, and how often of late.
CREATE INDEX activations_by_rule ON activations (rule, opened_at);
