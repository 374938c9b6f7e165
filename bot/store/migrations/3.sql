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

-- Why each ended. Until now the free text told it, which anybody could write who held a link.
ALTER TABLE verification ADD COLUMN cause TEXT;
ALTER TABLE verification ADD COLUMN held_cause TEXT;

UPDATE verification SET
    cause = CASE
        WHEN status = 'pending' THEN NULL
        WHEN status = 'approved' THEN 'answered'
        WHEN status = 'expired' THEN 'window_over'
        WHEN status = 'max_attempts_reached' THEN 'attempts_used'
        WHEN status = 'canceled' AND reason LIKE 'superseded by %' THEN 'superseded'
        WHEN status = 'canceled' AND reason = 'opted_out' THEN 'opted_out'
        WHEN status = 'canceled' THEN 'terminated'
        WHEN reason = 'key_retired' THEN 'key_retired'
        WHEN accepted_at IS NOT NULL THEN 'not_delivered'
        WHEN reason LIKE 'Twilio did not take the text within%' THEN 'send_given_up'
        WHEN reason LIKE 'It is not known whether%' THEN 'send_unknown'
        ELSE 'send_refused' END,
    held_cause = CASE
        WHEN held_status IS NULL THEN NULL
        WHEN held_status = 'approved' THEN 'answered'
        WHEN held_status = 'expired' THEN 'window_over'
        WHEN held_status = 'max_attempts_reached' THEN 'attempts_used'
        WHEN held_reason = 'key_retired' THEN 'key_retired'
        WHEN accepted_at IS NOT NULL THEN 'not_delivered'
        WHEN held_reason LIKE 'Twilio did not take the text within%' THEN 'send_given_up'
        WHEN held_reason LIKE 'It is not known whether%' THEN 'send_unknown'
        ELSE 'send_refused' END;

UPDATE schema_version SET version = 3;
