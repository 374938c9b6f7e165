-- From version 1 to 2. Only SQLite files were ever of version 1.

ALTER TABLE verification ADD COLUMN request_id TEXT NOT NULL DEFAULT '';
ALTER TABLE verification ADD COLUMN is_to_erase INTEGER NOT NULL DEFAULT 0 CHECK (is_to_erase IN (0, 1));
UPDATE verification SET is_to_erase = 1 WHERE id IN (SELECT verification_id FROM outbox WHERE is_to_erase = 1);
ALTER TABLE outbox DROP COLUMN is_to_erase;

CREATE INDEX verification_country ON verification (country, status, created_at, id);

CREATE TABLE figure (
    hour    TEXT NOT NULL,
    country TEXT NOT NULL,
    event   TEXT NOT NULL CHECK (event IN
        ('started', 'approved', 'expired', 'max_attempts_reached', 'canceled', 'failed')),
    seconds INTEGER NOT NULL,
    count   INTEGER NOT NULL,
    PRIMARY KEY (hour, country, event, seconds)
) STRICT;

-- Counts a day were kept of what retention had removed.
INSERT INTO figure (hour, country, event, seconds, count)
SELECT day, country, status, 0, count FROM daily_count WHERE status <> 'pending'
UNION ALL
SELECT day, country, 'started', 0, sum(count) FROM daily_count GROUP BY day, country;

DROP TABLE daily_count;

CREATE TABLE figured (
    sequence INTEGER NOT NULL,
    removals INTEGER NOT NULL
) STRICT;

INSERT INTO figured (sequence, removals) VALUES (0, 0);

CREATE TABLE counted (
    process TEXT NOT NULL,
    sample  TEXT NOT NULL,
    value   REAL NOT NULL,
    at      TEXT NOT NULL,
    PRIMARY KEY (process, sample)
) STRICT;

-- A start that was approved has its approval beside it now; one that was lifted says so.
DROP INDEX tally_phone;
DROP INDEX tally_at;
ALTER TABLE tally RENAME TO tally_1;

CREATE TABLE tally (
    number          INTEGER PRIMARY KEY AUTOINCREMENT,
    kind            TEXT NOT NULL CHECK (kind IN
        ('start', 'probe', 'lifted', 'approval', 'wrong')),
    phone           TEXT NOT NULL,
    country         TEXT NOT NULL,
    started_by      TEXT NOT NULL,
    verification_id TEXT NOT NULL,
    at              TEXT NOT NULL
) STRICT;

INSERT INTO tally (number, kind, phone, country, started_by, verification_id, at)
SELECT number,
    CASE WHEN kind <> 'approved' THEN kind
        WHEN EXISTS (SELECT 1 FROM tally_1 AS beside WHERE beside.kind = 'approval'
            AND beside.verification_id = tally_1.verification_id) THEN 'start'
        ELSE 'lifted' END,
    phone, country, started_by, verification_id, at
FROM tally_1 ORDER BY number;

DROP TABLE tally_1;

CREATE INDEX tally_phone ON tally (phone, kind, at);
CREATE INDEX tally_at ON tally (at);

ALTER TABLE history RENAME TO history_1;

CREATE TABLE history (
    sequence        INTEGER PRIMARY KEY AUTOINCREMENT,
    verification_id TEXT NOT NULL REFERENCES verification (id) ON DELETE CASCADE,
    number          INTEGER NOT NULL CHECK (number > 0),
    at              TEXT NOT NULL,
    event           TEXT NOT NULL,
    detail          TEXT NOT NULL DEFAULT '{}',
    UNIQUE (verification_id, number)
) STRICT;

INSERT INTO history (verification_id, number, at, event, detail)
SELECT verification_id, number, at, event, detail FROM history_1 ORDER BY at, verification_id, number;

DROP TABLE history_1;

UPDATE schema_version SET version = 2;
