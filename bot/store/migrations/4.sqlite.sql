-- From version 3 to 4 on SQLite: a verification may have several texts. A UNIQUE of a table can only
-- be taken away by making the table anew. What a text was sent from was not kept; its next claim
-- fills it in.

CREATE TABLE outbox_4 (
    id              TEXT NOT NULL PRIMARY KEY,
    verification_id TEXT NOT NULL REFERENCES verification (id) ON DELETE CASCADE,
    purpose         TEXT NOT NULL CHECK (purpose IN ('challenge')),
    channel         TEXT NOT NULL CHECK (channel IN ('sms')),
    from_address    TEXT NOT NULL,
    locale          TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN
        ('queued', 'sending', 'unknown', 'accepted', 'refused', 'withdrawn')),
    queued_at       TEXT NOT NULL,
    due_at          TEXT,
    claims          INTEGER NOT NULL DEFAULT 0,
    tries           INTEGER NOT NULL DEFAULT 0,
    looks           INTEGER NOT NULL DEFAULT 0,
    first_try_at    TEXT,
    sid             TEXT UNIQUE,
    delivery        TEXT CHECK (delivery IN ('accepted', 'scheduled', 'queued', 'sending', 'sent',
        'delivered', 'undelivered', 'failed', 'canceled', 'read')),
    error_code      INTEGER,
    CHECK (due_at IS NULL OR state IN ('queued', 'sending', 'unknown')),
    CHECK (state <> 'sending' OR due_at IS NOT NULL),
    CHECK (state <> 'accepted' OR sid IS NOT NULL)
) STRICT;

INSERT INTO outbox_4 SELECT id, verification_id, 'challenge', 'sms', '', 'en', state, queued_at,
    due_at, claims, tries, looks, first_try_at, sid, delivery, error_code FROM outbox;
DROP TABLE outbox;
ALTER TABLE outbox_4 RENAME TO outbox;
CREATE INDEX outbox_verification ON outbox (verification_id, queued_at);
CREATE INDEX outbox_due ON outbox (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX outbox_queued ON outbox (queued_at) WHERE state = 'queued';

-- An index cannot be renamed here.
DROP INDEX tally_phone;
DROP INDEX tally_at;
CREATE INDEX usage_phone ON usage (phone, kind, at);
CREATE INDEX usage_at ON usage (at);
