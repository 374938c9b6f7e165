-- The database schema of Textback. Its version is in schema_version, below.
--
-- Instants are UTC text of fixed width, 2026-01-31T09:30:00.000000Z: their order as text is their
-- order in time, and people can read them. Booleans are 0 or 1. Invariants are CHECK or UNIQUE constraints or
-- partial indexes here, so that a bug in the program cannot violate them. No verification code is stored.

CREATE TABLE schema_version (
    version INTEGER NOT NULL
) STRICT;

INSERT INTO schema_version (version) VALUES (9);

CREATE TABLE verification (
    id                  TEXT NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 256),
    phone               TEXT NOT NULL CHECK (phone LIKE '+%' AND length(phone) BETWEEN 8 AND 16),
    country             TEXT NOT NULL CHECK (length(country) = 2),   -- that assigns the number
    started_by          TEXT NOT NULL,     -- name of the caller's key
    caller_key          TEXT,              -- fingerprint of that key; NULL: begun without one
    start_input         TEXT NOT NULL,     -- JSON, as the caller sent it; empty: begun without any
    reference           TEXT NOT NULL CHECK (length(reference) = 2),
    nonce               TEXT NOT NULL,     -- hexadecimal; the code is derived from it, never stored
    key_id              TEXT NOT NULL,     -- which SECRET_KEY the code is derived under
    challenge_text      TEXT NOT NULL,     -- the text sent, with {code} in place of the code
    code_length         INTEGER NOT NULL CHECK (code_length BETWEEN 4 AND 10),   -- digits
    window_seconds      INTEGER NOT NULL CHECK (window_seconds > 0),
    max_attempts        INTEGER NOT NULL CHECK (max_attempts > 0),
    send_within_seconds INTEGER NOT NULL CHECK (send_within_seconds > 0),
    created_at          TEXT NOT NULL,
    first_try_at        TEXT,              -- when the text was first handed to Twilio
    accepted_at         TEXT,              -- when Twilio took it
    deadline_at         TEXT NOT NULL,     -- the window is closed at this instant
    due_at              TEXT,              -- when the timer looks next
    attempts            INTEGER NOT NULL DEFAULT 0,
    last_guess          TEXT,              -- keyed hash of the newest wrong guess
    wrong_left          INTEGER CHECK (wrong_left >= 0),  -- wrong answers left by the limit of its number; NULL: no limit
    status              TEXT NOT NULL DEFAULT 'pending' CHECK (status IN
        ('pending', 'approved', 'expired', 'max_attempts_reached', 'canceled', 'failed')),
    cause               TEXT CHECK (cause IN
        ('answered', 'window_over', 'attempts_used', 'superseded', 'terminated', 'opted_out', 'disowned',
         'send_refused', 'send_given_up', 'send_unknown', 'not_delivered', 'key_retired')),
    reason              TEXT,              -- free text: nothing is decided on it
    error_code          INTEGER,           -- Twilio's
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
    answers             INTEGER NOT NULL DEFAULT 0,   -- texts sent in answer to replies
    is_afterthought_answered INTEGER NOT NULL DEFAULT 0 CHECK (is_afterthought_answered IN (0, 1)),
    unwritten_events    INTEGER NOT NULL DEFAULT 0,   -- beyond what its history may hold
    updated_at          TEXT NOT NULL,
    request_id          TEXT NOT NULL DEFAULT '',  -- of the request that began it: it ties log lines together
    is_to_erase         INTEGER NOT NULL DEFAULT 0 CHECK (is_to_erase IN (0, 1)),  -- at Twilio, later
    tag                 TEXT CHECK (length(tag) <= 128),     -- the caller's own word for it
    locale              TEXT CHECK (length(locale) <= 100),  -- BCP 47 tag of its texts, chosen at the start; NULL: begun by 0.1
    sends               INTEGER NOT NULL DEFAULT 1 CHECK (sends > 0),   -- texts with its code
    max_sends           INTEGER NOT NULL DEFAULT 3 CHECK (max_sends >= sends),
    newest_send_at      TEXT,              -- when its newest text was asked for, or accepted by Twilio; NULL: at the start
    hex_id              TEXT,              -- an id that a caller chose, as 32 hex digits; NULL: the id has that form
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
    -- Fewer than max_attempts if the number has used up its limit on wrong answers in others.
    CHECK (status <> 'max_attempts_reached' OR attempts > 0),
    CHECK (status <> 'approved' OR ended_at < deadline_at),
    CHECK (held_status IS NULL OR suspended_at IS NOT NULL),
    CHECK ((held_status IS NULL) = (held_at IS NULL)),
    CHECK ((held_status IS NULL) = (held_cause IS NULL)),
    CHECK (suspended_at IS NULL OR status = 'pending')
) STRICT;

-- At most one pending verification for each number, even if starts race.
CREATE UNIQUE INDEX verification_pending ON verification (phone) WHERE status = 'pending';
-- For the timer. It contains pending verifications only, so millions of finished ones cost nothing.
CREATE INDEX verification_due ON verification (due_at) WHERE due_at IS NOT NULL;
-- The newest verifications of a number: to recognize an older text's code, and a reply after the end.
CREATE INDEX verification_phone ON verification (phone, created_at);
-- Pages of the list: one range of this index for each status that is wanted.
CREATE INDEX verification_listed ON verification (status, created_at, id);
CREATE INDEX verification_hex_id ON verification (hex_id) WHERE hex_id IS NOT NULL;
CREATE INDEX verification_country ON verification (country, status, created_at, id);
-- Verifications by the caller's tag.
CREATE INDEX verification_tag ON verification (tag, created_at, id) WHERE tag IS NOT NULL;
-- What support searches by: the last four digits that a person gives, the reference in their text,
-- Twilio's error.
CREATE INDEX verification_last_four ON verification (substr(phone, length(phone) - 3), created_at, id);
CREATE INDEX verification_reference ON verification (reference, created_at, id);
CREATE INDEX verification_error ON verification (error_code, created_at, id) WHERE error_code IS NOT NULL;

-- Texts on their way to Twilio, one or more of each verification. due_at is set while there is work
-- to do:
--   queued    not given to Twilio: to be sent when due
--   sending   claimed under a lease that lapses when due; once lapsed, its outcome is unknown
--   unknown   Twilio may have it: to be looked up when due, never simply sent again
--   accepted  Twilio has it
--   refused   Twilio will never accept it, or it was given up
--   withdrawn never sent, its verification ended before
CREATE TABLE outbox (
    id              TEXT NOT NULL PRIMARY KEY,   -- part of the status callback's address
    verification_id TEXT NOT NULL REFERENCES verification (id) ON DELETE CASCADE,
    purpose         TEXT NOT NULL CHECK (purpose IN ('challenge')),
    channel         TEXT NOT NULL CHECK (channel IN ('sms')),
    from_address    TEXT NOT NULL,               -- our number or Messaging Service, as of the newest claim
    locale          TEXT NOT NULL,               -- BCP 47 tag of its sentence
    state           TEXT NOT NULL CHECK (state IN
        ('queued', 'sending', 'unknown', 'accepted', 'refused', 'withdrawn')),
    queued_at       TEXT NOT NULL,
    due_at          TEXT,
    claims          INTEGER NOT NULL DEFAULT 0,  -- how often claimed; the newest claim alone counts
    tries           INTEGER NOT NULL DEFAULT 0,  -- refusals that may pass, for the backoff
    looks           INTEGER NOT NULL DEFAULT 0,  -- times Twilio's list answered without it
    first_try_at    TEXT,
    sid             TEXT UNIQUE,                 -- Twilio's
    delivery        TEXT CHECK (delivery IN ('accepted', 'scheduled', 'queued', 'sending', 'sent',
        'delivered', 'undelivered', 'failed', 'canceled', 'read')),
    error_code      INTEGER,                     -- Twilio's last one for this text
    CHECK (due_at IS NULL OR state IN ('queued', 'sending', 'unknown')),
    CHECK (state <> 'sending' OR due_at IS NOT NULL),
    CHECK (state <> 'accepted' OR sid IS NOT NULL)
) STRICT;

CREATE INDEX outbox_verification ON outbox (verification_id, queued_at);
CREATE INDEX outbox_due ON outbox (due_at) WHERE due_at IS NOT NULL;
-- The oldest text not given to Twilio: if it waits too long, starts are refused.
CREATE INDEX outbox_queued ON outbox (queued_at) WHERE state = 'queued';

-- Addresses that receive outcome events: those of the setting WEBHOOK_URLS, and earlier ones.
CREATE TABLE webhook_endpoint (
    id              TEXT NOT NULL PRIMARY KEY,   -- fingerprint of the address
    url             TEXT NOT NULL,
    is_configured   INTEGER NOT NULL CHECK (is_configured IN (0, 1)),
    includes_number INTEGER NOT NULL CHECK (includes_number IN (0, 1)),  -- whole, in the body
    failing_since   TEXT,                        -- first failure since the last success
    disabled_at     TEXT,                        -- since when nothing is sent to it
    disabled_cause  TEXT CHECK (disabled_cause IN ('gone', 'failing')),
    generation      INTEGER NOT NULL DEFAULT 0,  -- grows each time it is disabled or enabled
    CHECK ((disabled_at IS NULL) = (disabled_cause IS NULL))
) STRICT;

-- Events for those addresses, a row for each event and address, written with the end they tell of.
--   pending   to be sent when due; while it is sent, due_at is when the lease lapses
--   delivered answered with 2xx
--   failed    every try failed
CREATE TABLE webhook_event (
    id              TEXT NOT NULL PRIMARY KEY CHECK (id NOT LIKE '%.%'),  -- the header webhook-id
    endpoint_id     TEXT NOT NULL REFERENCES webhook_endpoint (id) ON DELETE CASCADE,
    verification_id TEXT REFERENCES verification (id) ON DELETE CASCADE,  -- NULL: a test
    type            TEXT NOT NULL CHECK (type IN ('verification.approved', 'verification.expired',
        'verification.max_attempts_reached', 'verification.canceled', 'verification.failed',
        'webhook.test')),
    body            TEXT NOT NULL,               -- the same bytes in every try
    state           TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
    created_at      TEXT NOT NULL,
    due_at          TEXT,
    claims          INTEGER NOT NULL DEFAULT 0,  -- how often claimed; the newest claim alone counts
    tries           INTEGER NOT NULL DEFAULT 0,  -- that failed, for the schedule
    last_try_at     TEXT,
    last_result     TEXT CHECK (last_result IN
        ('delivered', 'refused', 'gone', 'redirected', 'unreachable', 'timeout', 'forbidden_address')),
    last_status     INTEGER,                     -- of HTTP
    UNIQUE (verification_id, endpoint_id),
    CHECK ((state = 'pending') = (due_at IS NOT NULL)),
    CHECK ((type = 'webhook.test') = (verification_id IS NULL))
) STRICT;

CREATE INDEX webhook_event_due ON webhook_event (endpoint_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX webhook_event_created ON webhook_event (state, created_at);

-- Messages whose bodies Twilio must empty. Separate from the outbox, so that a purge loses none; a sid names no one.
CREATE TABLE erasure (
    sid    TEXT NOT NULL PRIMARY KEY,
    due_at TEXT NOT NULL,
    tries  INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX erasure_due ON erasure (due_at);

-- Every inbound message of the last 400 days with its answer, so that its repeat is harmless.
CREATE TABLE inbound (
    message_sid TEXT NOT NULL PRIMARY KEY,
    received_at TEXT NOT NULL,
    answer      TEXT,                            -- the sentence sent back; NULL: none
    ignored     TEXT CHECK (ignored IN ('other_channel', 'unreadable_sender', 'other_recipient',
        'no_verification', 'before_its_start', 'too_long')),  -- why it changed nothing; NULL: it was read
    masked_phone TEXT                            -- whose it was, of an ignored one or an answered keyword
) STRICT;

CREATE INDEX inbound_received ON inbound (received_at);
-- Texts that were ignored lately: a reply that somebody misses may be among them.
CREATE INDEX inbound_ignored ON inbound (received_at) WHERE ignored IS NOT NULL;

-- What happened in each hour, counted from the history; hours of past days are folded into their day.
-- It contains no phone number, so it is never removed.
CREATE TABLE hourly_count (
    hour    TEXT NOT NULL,                       -- 2026-01-31T09, UTC; once folded, 2026-01-31
    country TEXT NOT NULL,
    event   TEXT NOT NULL CHECK (event IN ('started', 'resend_asked',
        'approved', 'expired', 'max_attempts_reached', 'canceled', 'failed')),
    seconds INTEGER NOT NULL,                    -- from accepted to approved; -1: unknown; else 0
    count   INTEGER NOT NULL,
    PRIMARY KEY (hour, country, event, seconds)
) STRICT;

-- How far the history has been counted into hourly_count, and how often some of it was removed. One row.
CREATE TABLE count_cursor (
    sequence INTEGER NOT NULL,
    removals INTEGER NOT NULL
) STRICT;

INSERT INTO count_cursor (sequence, removals) VALUES (0, 0);

-- What each process has counted for /metrics, in rows of its own, so that none waits for another; a
-- scrape adds them up.
CREATE TABLE metric_sample (
    process TEXT NOT NULL,
    sample  TEXT NOT NULL,                       -- JSON: name and labels, as Prometheus has them
    value   REAL NOT NULL,
    at      TEXT NOT NULL,
    PRIMARY KEY (process, sample)
) STRICT;

-- The instant up to which each process has judged the replies that reached it. Written at its start, then twice
-- a second while a verification is pending, and every ten seconds otherwise. No verification expires before all
-- processes have judged what came before its deadline, or another process has read what they missed.
CREATE TABLE heartbeat (
    process      TEXT NOT NULL PRIMARY KEY,
    beat_at      TEXT NOT NULL,
    judged_until TEXT NOT NULL
) STRICT;

-- Numbers that texted STOP to an address of ours (a phone number or a Messaging Service).
CREATE TABLE opt_out (
    phone        TEXT NOT NULL,
    from_address TEXT NOT NULL,
    since        TEXT NOT NULL,
    last_tried   TEXT,                           -- when a start was last let through to try
    is_by_twilio INTEGER NOT NULL DEFAULT 1 CHECK (is_by_twilio IN (0, 1)),  -- Twilio refuses texts to it too
    PRIMARY KEY (phone, from_address)
) STRICT;

CREATE INDEX opt_out_since ON opt_out (from_address, since);

-- Numbers whose holder replied NO: nothing is texted to them for a day.
CREATE TABLE disown (
    phone TEXT NOT NULL PRIMARY KEY,
    since TEXT NOT NULL
) STRICT;

CREATE INDEX disown_since ON disown (since);

-- Starts that carried an Idempotency-Key: the repeat within a day gets the first answer.
CREATE TABLE idempotency (
    started_by      TEXT NOT NULL,
    key             TEXT NOT NULL,
    phone           TEXT NOT NULL,
    verification_id TEXT NOT NULL REFERENCES verification (id) ON DELETE CASCADE,
    created_at      TEXT NOT NULL,
    PRIMARY KEY (started_by, key, phone)
) STRICT;

CREATE INDEX idempotency_verification ON idempotency (verification_id);

-- The circuit between an address of ours and Twilio: a row while it is open, since Twilio does not
-- accept our credentials. Nothing is sent meanwhile; a dispatcher asks again at probe_at.
CREATE TABLE circuit (
    from_address TEXT NOT NULL PRIMARY KEY,
    since        TEXT NOT NULL,
    error_code   INTEGER NOT NULL,               -- Twilio's
    probe_at     TEXT NOT NULL
) STRICT;

-- What counts against limits. A purge does not remove these rows, so it allows no further start.
--   start     counts against its number, unless its verification also has an approval or an unsent row
--   probe     a start let through in an area whose circuit breaker is open
--   lifted    a text that an operator forgave, or that Twilio or we refused: counts for country, key and in all
--   approval  when a verification was approved
--   unsent    when a start failed through a fault of Twilio or ours, before anyone could answer it
--   wrong     a wrong answer
CREATE TABLE usage (
    number          INTEGER PRIMARY KEY AUTOINCREMENT, -- grows, never used twice: it is followed
    kind            TEXT NOT NULL CHECK (kind IN
        ('start', 'probe', 'lifted', 'approval', 'unsent', 'wrong')),
    phone           TEXT NOT NULL,
    country         TEXT NOT NULL,
    started_by      TEXT NOT NULL,
    verification_id TEXT NOT NULL,                     -- a hash of its nonce: an id may be used again after a removal
    at              TEXT NOT NULL
) STRICT;

CREATE INDEX usage_phone ON usage (phone, kind, at);
CREATE INDEX usage_at ON usage (at);

-- The newest instant that a dispatcher has recorded, every hour. At most one row.
CREATE TABLE time_mark (
    at           TEXT NOT NULL,                  -- the current instant when the row was written
    steady_since TEXT NOT NULL                   -- since when it has not jumped; nothing old is removed within a day of it
) STRICT;

-- What happened, in order, one growing number per verification. `at` is when it was written down.
CREATE TABLE history (
    sequence        INTEGER PRIMARY KEY AUTOINCREMENT, -- grows, never used twice: it is followed
    verification_id TEXT NOT NULL REFERENCES verification (id) ON DELETE CASCADE,
    number          INTEGER NOT NULL CHECK (number > 0),
    at              TEXT NOT NULL,
    event           TEXT NOT NULL,
    detail          TEXT NOT NULL DEFAULT '{}',  -- JSON; never a code, never what a person wrote
    UNIQUE (verification_id, number)
) STRICT;

-- What operators did at the console and by commands, and who signed in. It outlives what it tells of,
-- so it refers to nothing, and holds a number only masked. An id that a caller chose is left out.
CREATE TABLE audit (
    id              TEXT NOT NULL PRIMARY KEY,
    at              TEXT NOT NULL,
    operator        TEXT NOT NULL,               -- name of the console's key, or of the system's user
    via             TEXT NOT NULL CHECK (via IN ('console', 'command')),
    action          TEXT NOT NULL,
    verification_id TEXT,
    masked_phone    TEXT,
    detail          TEXT NOT NULL DEFAULT ''     -- an address, an event's id, a count
) STRICT;

CREATE INDEX audit_at ON audit (at, id);
CREATE INDEX audit_operator ON audit (operator, at, id);
CREATE INDEX audit_action ON audit (action, at, id);
