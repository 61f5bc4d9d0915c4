-- How far configured devices were heard, in their integrations' own words; written with what they said (hub.sdk.Tools).
CREATE TABLE bookmarks (
    domain TEXT,
    device TEXT,
    key TEXT,
    value TEXT NOT NULL,
    PRIMARY KEY (domain, device, key)
) STRICT, WITHOUT ROWID;
