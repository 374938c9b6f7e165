-- From version 5 to 6: what operators do is kept, support searches by more, and texts sent again are
-- counted.

-- Each index is made by reading all verifications once: some ten seconds of a start with ten million.
CREATE INDEX verification_last_four ON verification (substr(phone, length(phone) - 3), created_at, id);
CREATE INDEX verification_reference ON verification (reference, created_at, id);
CREATE INDEX verification_error ON verification (error_code, created_at, id) WHERE error_code IS NOT NULL;

-- Made anew: SQLite cannot change a CHECK.
CREATE TABLE hourly_count_5 AS SELECT * FROM hourly_count;
DROP TABLE hourly_count;

CREATE TABLE hourly_count (
    hour    TEXT NOT NULL,
    country TEXT NOT NULL,
    event   TEXT NOT NULL CHECK (event IN ('started', 'resend_asked',
        'approved', 'expired', 'max_attempts_reached', 'canceled', 'failed')),
    seconds INTEGER NOT NULL,
    count   INTEGER NOT NULL,
    PRIMARY KEY (hour, country, event, seconds)
) STRICT;

INSERT INTO hourly_count (hour, country, event, seconds, count)
SELECT hour, country, event, seconds, count FROM hourly_count_5;
DROP TABLE hourly_count_5;

-- What operators did at the console and by commands, and who signed in. It outlives what it tells of,
-- so it refers to nothing, and holds a number only masked.
CREATE TABLE audit (
    id              TEXT NOT NULL PRIMARY KEY,
    at              TEXT NOT NULL,
    operator        TEXT NOT NULL,
    via             TEXT NOT NULL CHECK (via IN ('console', 'command')),
    action          TEXT NOT NULL,
    verification_id TEXT,
    masked_phone    TEXT,
    detail          TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX audit_at ON audit (at, id);
CREATE INDEX audit_operator ON audit (operator, at, id);
CREATE INDEX audit_action ON audit (action, at, id);

UPDATE schema_version SET version = 6;
