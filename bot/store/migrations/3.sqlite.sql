-- From version 2 to 3 on SQLite, where the checks of a table can only be changed by making it anew.
-- Foreign keys are off meanwhile, or dropping the old table would take texts and history with it.

CREATE TABLE verification_3 (
    id                  TEXT NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 256),
    phone               TEXT NOT NULL CHECK (phone LIKE '+%' AND length(phone) BETWEEN 8 AND 16),
    country             TEXT NOT NULL CHECK (length(country) = 2),
    started_by          TEXT NOT NULL,
    caller_key          TEXT,
    start_input         TEXT NOT NULL,
    reference           TEXT NOT NULL CHECK (length(reference) = 2),
    nonce               TEXT NOT NULL,
    key_id              TEXT NOT NULL,
    challenge_text      TEXT NOT NULL,
    code_length         INTEGER NOT NULL CHECK (code_length BETWEEN 4 AND 10),
    window_seconds      INTEGER NOT NULL CHECK (window_seconds > 0),
    max_attempts        INTEGER NOT NULL CHECK (max_attempts > 0),
    send_within_seconds INTEGER NOT NULL CHECK (send_within_seconds > 0),
    created_at          TEXT NOT NULL,
    first_try_at        TEXT,
    accepted_at         TEXT,
    deadline_at         TEXT NOT NULL,
    due_at              TEXT,
    attempts            INTEGER NOT NULL DEFAULT 0,
    last_guess          TEXT,
    wrong_left          INTEGER CHECK (wrong_left >= 0),
    status              TEXT NOT NULL DEFAULT 'pending' CHECK (status IN
        ('pending', 'approved', 'expired', 'max_attempts_reached', 'canceled', 'failed')),
    cause               TEXT CHECK (cause IN
        ('answered', 'window_over', 'attempts_used', 'superseded', 'terminated', 'opted_out', 'disowned',
         'send_refused', 'send_given_up', 'send_unknown', 'not_delivered', 'key_retired')),
    reason              TEXT,
    error_code          INTEGER,
    ended_at            TEXT,
    suspended_at        TEXT,
    held_status         TEXT CHECK (held_status IN
        ('approved', 'expired', 'max_attempts_reached', 'failed')),
    held_cause          TEXT CHECK (held_cause IN
        ('answered', 'window_over', 'attempts_used',
         'send_refused', 'send_given_up', 'send_unknown', 'not_delivered', 'key_retired')),
    held_reason         TEXT,
    held_error_code     INTEGER,
    held_at             TEXT,
    is_hinted           INTEGER NOT NULL DEFAULT 0 CHECK (is_hinted IN (0, 1)),
    answers             INTEGER NOT NULL DEFAULT 0,
    is_afterthought_answered INTEGER NOT NULL DEFAULT 0 CHECK (is_afterthought_answered IN (0, 1)),
    unwritten_events    INTEGER NOT NULL DEFAULT 0,
    updated_at          TEXT NOT NULL,
    request_id          TEXT NOT NULL DEFAULT '',
    is_to_erase         INTEGER NOT NULL DEFAULT 0 CHECK (is_to_erase IN (0, 1)),
    CHECK (attempts BETWEEN 0 AND max_attempts),
    CHECK (answers BETWEEN 0 AND max_attempts + 2),
    CHECK ((status = 'pending') = (ended_at IS NULL)),
    CHECK ((status = 'pending') = (due_at IS NOT NULL)),
    CHECK ((status = 'pending') = (cause IS NULL)),
    CHECK ((status = 'approved') = (cause IS NOT NULL AND cause = 'answered')),
    CHECK ((status = 'expired') = (cause IS NOT NULL AND cause = 'window_over')),
    CHECK ((status = 'max_attempts_reached') = (cause IS NOT NULL AND cause = 'attempts_used')),
    CHECK ((status = 'canceled') =
        (cause IS NOT NULL AND cause IN ('superseded', 'terminated', 'opted_out', 'disowned'))),
    CHECK (status <> 'pending' OR held_status IS NOT NULL OR attempts < max_attempts),

    CHECK (status <> 'max_attempts_reached' OR attempts > 0),
    CHECK (status <> 'approved' OR ended_at < deadline_at),
    CHECK (held_status IS NULL OR suspended_at IS NOT NULL),
    CHECK ((held_status IS NULL) = (held_at IS NULL)),
    CHECK ((held_status IS NULL) = (held_cause IS NULL)),
    CHECK (suspended_at IS NULL OR status = 'pending')
) STRICT;

INSERT INTO verification_3 (
    id, phone, country, started_by, start_input, reference, nonce, key_id, challenge_text,
    code_length, window_seconds, max_attempts, send_within_seconds, created_at, first_try_at,
    accepted_at, deadline_at, due_at, attempts, status, reason, error_code, ended_at, suspended_at,
    held_status, held_reason, held_error_code, held_at, is_hinted, answers,
    is_afterthought_answered, updated_at, request_id, is_to_erase,
    cause, held_cause)
SELECT
    id, phone, country, started_by, start_input, reference, nonce, key_id, challenge_text,
    code_length, window_seconds, max_attempts, send_within_seconds, created_at, first_try_at,
    accepted_at, deadline_at, due_at, attempts, status, reason, error_code, ended_at, suspended_at,
    held_status, held_reason, held_error_code, held_at, is_hinted, answers,
    is_afterthought_answered, updated_at, request_id, is_to_erase,
    cause, held_cause
FROM verification;

DROP TABLE verification;
ALTER TABLE verification_3 RENAME TO verification;

CREATE UNIQUE INDEX verification_pending ON verification (phone) WHERE status = 'pending';
CREATE INDEX verification_due ON verification (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX verification_phone ON verification (phone, created_at);
CREATE INDEX verification_listed ON verification (status, created_at, id);
CREATE INDEX verification_country ON verification (country, status, created_at, id);

DROP INDEX tally_phone;
DROP INDEX tally_at;
ALTER TABLE tally RENAME TO tally_2;

CREATE TABLE tally (
    number          INTEGER PRIMARY KEY AUTOINCREMENT,
    kind            TEXT NOT NULL CHECK (kind IN
        ('start', 'probe', 'lifted', 'approval', 'unsent', 'wrong')),
    phone           TEXT NOT NULL,
    country         TEXT NOT NULL,
    started_by      TEXT NOT NULL,
    verification_id TEXT NOT NULL,
    at              TEXT NOT NULL
) STRICT;

INSERT INTO tally (number, kind, phone, country, started_by, verification_id, at)
SELECT number, kind, phone, country, started_by, verification_id, at FROM tally_2 ORDER BY number;

DROP TABLE tally_2;

CREATE INDEX tally_phone ON tally (phone, kind, at);
CREATE INDEX tally_at ON tally (at);
