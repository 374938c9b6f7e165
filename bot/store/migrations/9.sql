-- From version 8 to 9: an index for the console's list of opt-outs, which are kept for years.

CREATE INDEX opt_out_since ON opt_out (from_address, since);

UPDATE schema_version SET version = 9;
