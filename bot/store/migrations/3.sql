-- From version 2 to 3: what both databases do alike. The rest is in the file of each.

ALTER TABLE inbound ADD COLUMN ignored TEXT CHECK (ignored IN
    ('other_channel', 'unreadable_sender', 'other_recipient',
     'no_verification', 'before_its_start', 'too_long'));
ALTER TABLE inbound ADD COLUMN sender TEXT;
CREATE INDEX inbound_ignored ON inbound (received_at) WHERE ignored IS NOT NULL;

CREATE TABLE time_mark (
    at           TEXT NOT NULL,
    steady_since TEXT NOT NULL
) STRICT;

UPDATE schema_version SET version = 3;
