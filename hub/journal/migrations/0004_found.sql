-- Found devices (hub.model.found.Inboxed), so that an ignored one stays ignored and an adopted one adopted.
CREATE TABLE found (
    key TEXT PRIMARY KEY,
    body TEXT NOT NULL
) STRICT;
