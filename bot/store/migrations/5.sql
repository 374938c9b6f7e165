-- From version 4 to 5: outcomes are pushed, a start carries a tag and a locale, and a text can be
-- sent again.

ALTER TABLE verification ADD COLUMN tag TEXT CHECK (length(tag) <= 128);
ALTER TABLE verification ADD COLUMN locale TEXT CHECK (length(locale) <= 100);
ALTER TABLE verification ADD COLUMN sends INTEGER NOT NULL DEFAULT 1 CHECK (sends > 0);
ALTER TABLE verification ADD COLUMN max_sends INTEGER NOT NULL DEFAULT 3 CHECK (max_sends >= sends);
ALTER TABLE verification ADD COLUMN newest_send_at TEXT;
ALTER TABLE verification ADD COLUMN hex_id TEXT;
CREATE INDEX verification_hex_id ON verification (hex_id) WHERE hex_id IS NOT NULL;

CREATE INDEX verification_tag ON verification (tag, created_at, id) WHERE tag IS NOT NULL;

-- Addresses that are told of outcomes: those of the setting WEBHOOK_URLS, and earlier ones.
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

-- Numbers whose holder replied NO: nothing is texted to them for a day.
CREATE TABLE disown (
    phone TEXT NOT NULL PRIMARY KEY,
    since TEXT NOT NULL
) STRICT;

CREATE INDEX disown_since ON disown (since);

UPDATE schema_version SET version = 5;
