-- From version 3 to 4 on PostgreSQL: a verification may have several texts. What a text was sent from
-- was not kept; its next claim fills it in.

ALTER TABLE outbox DROP CONSTRAINT outbox_verification_id_key;
ALTER TABLE outbox
    ADD COLUMN purpose TEXT NOT NULL DEFAULT 'challenge' CHECK (purpose IN ('challenge')),
    ADD COLUMN channel TEXT NOT NULL DEFAULT 'sms' CHECK (channel IN ('sms')),
    ADD COLUMN from_address TEXT NOT NULL DEFAULT '',
    ADD COLUMN locale TEXT NOT NULL DEFAULT 'en';
ALTER TABLE outbox
    ALTER COLUMN purpose DROP DEFAULT,
    ALTER COLUMN channel DROP DEFAULT,
    ALTER COLUMN from_address DROP DEFAULT,
    ALTER COLUMN locale DROP DEFAULT;
CREATE INDEX outbox_verification ON outbox (verification_id, queued_at);

-- Constraints, indexes and sequences keep the names of their old tables otherwise, and a later step
-- would find other names here than in a new database.
ALTER INDEX tally_number RENAME TO usage_number;
ALTER INDEX tally_phone RENAME TO usage_phone;
ALTER INDEX tally_at RENAME TO usage_at;
ALTER INDEX tally_pkey RENAME TO usage_pkey;
ALTER TABLE usage RENAME CONSTRAINT tally_kind_check TO usage_kind_check;
ALTER SEQUENCE tally_row_seq RENAME TO usage_row_seq;
ALTER INDEX figure_pkey RENAME TO hourly_count_pkey;
ALTER TABLE hourly_count RENAME CONSTRAINT figure_event_check TO hourly_count_event_check;
ALTER INDEX counted_pkey RENAME TO metric_sample_pkey;
