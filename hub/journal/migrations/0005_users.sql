-- People who sign in by name (hub.journal.users). Passwords as argon2id in PHC form; the second factor's secret in base32.
CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    role TEXT NOT NULL,
    disabled INTEGER NOT NULL DEFAULT 0,
    password TEXT NOT NULL,
    factor TEXT,
    factor_step INTEGER NOT NULL DEFAULT 0,
    factor_wanted TEXT,
    created_at INTEGER NOT NULL
) STRICT;
-- What is left of a user's recovery codes, as hashes.
CREATE TABLE recovery (user INTEGER, hash BLOB, PRIMARY KEY (user, hash)) STRICT, WITHOUT ROWID;

-- Open pages: the hash of the cookie, and either the user or the hash of the token it was opened with.
CREATE TABLE sessions (
    hash BLOB PRIMARY KEY,
    user INTEGER,
    token BLOB,
    opened_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Tokens get a number by which one can be revoked.
ALTER TABLE tokens RENAME TO tokens_before;
CREATE TABLE tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;
INSERT INTO tokens (name, role, hash, created_at) SELECT name, role, hash, created_at FROM tokens_before;
DROP TABLE tokens_before;

-- Who did what, from where, on what, and what came of it.
ALTER TABLE audit ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN target TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN outcome TEXT NOT NULL DEFAULT 'done';
