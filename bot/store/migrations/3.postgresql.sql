-- From version 2 to 3 on PostgreSQL.

ALTER TABLE verification
    ADD COLUMN caller_key TEXT,
    ADD COLUMN last_guess TEXT,
    ADD COLUMN wrong_left INTEGER CHECK (wrong_left >= 0),
    ADD COLUMN unwritten_events INTEGER NOT NULL DEFAULT 0;

ALTER TABLE verification
    ADD CHECK (cause IN
        ('answered', 'window_over', 'attempts_used', 'superseded', 'terminated', 'opted_out', 'disowned',
         'send_refused', 'send_given_up', 'send_unknown', 'not_delivered', 'key_retired')),
    ADD CHECK (held_cause IN
        ('answered', 'window_over', 'attempts_used',
         'send_refused', 'send_given_up', 'send_unknown', 'not_delivered', 'key_retired')),
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
