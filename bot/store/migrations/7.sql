-- From version 6 to 7: processes notice that another one has missed replies.

CREATE TABLE heartbeat (
    process      TEXT NOT NULL PRIMARY KEY,
    beat_at      TEXT NOT NULL,
    judged_until TEXT NOT NULL
) STRICT;

UPDATE schema_version SET version = 7;
