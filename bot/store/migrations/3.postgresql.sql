-- From version 2 to 3 on PostgreSQL.

ALTER TABLE verification
    ADD COLUMN caller_key TEXT,
    ADD COLUMN last_guess TEXT,
    ADD COLUMN wrong_left INTEGER CHECK (wrong_left >= 0),
    ADD COLUMN cause TEXT CHECK (cause IN
        ('answered', 'window_over', 'attempts_used', 'superseded', 'terminated', 'opted_out', 'disowned',
         'send_refused', 'send_given_up', 'send_unknown', 'not_delivered', 'key_retired')),
    ADD COLUMN held_cause TEXT CHECK (held_cause IN
        ('answered', 'window_over', 'attempts_used',
         'send_refused', 'send_given_up', 'send_unknown', 'not_delivered', 'key_retired')),
    ADD COLUMN unwritten_events INTEGER NOT NULL DEFAULT 0;

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

ALTER TABLE verification
    ADD CHECK ((status = 'pending') = (cause IS NULL)),
    ADD CHECK ((status = 'approved') = (cause IS NOT NULL AND cause = 'answered')),
    ADD CHECK ((status = 'expired') = (cause IS NOT NULL AND cause = 'window_over')),
    ADD CHECK ((status = 'max_attempts_reached') = (cause IS NOT NULL AND cause = 'attempts_used')),
    ADD CHECK ((status = 'canceled') =
        (cause IS NOT NULL AND cause IN ('superseded', 'terminated', 'opted_out', 'disowned'))),
    ADD CHECK ((held_status IS NULL) = (held_cause IS NULL));

ALTER TABLE tally DROP CONSTRAINT tally_kind_check;
ALTER TABLE tally ADD CONSTRAINT tally_kind_check CHECK (kind IN
    ('start', 'probe', 'lifted', 'approval', 'unsent', 'wrong'));
