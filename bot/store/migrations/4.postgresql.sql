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
ALTER INDEX tally_number RENAME TO usage_number;
