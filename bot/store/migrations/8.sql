-- From version 7 to 8: opt-outs that Twilio does not know of, such as "Stop texting me", are never tried.

ALTER TABLE opt_out ADD COLUMN is_by_twilio INTEGER NOT NULL DEFAULT 1 CHECK (is_by_twilio IN (0, 1));

UPDATE schema_version SET version = 8;
