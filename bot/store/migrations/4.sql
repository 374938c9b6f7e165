-- From version 3 to 4: tables and columns get the words of the code.

ALTER TABLE figure RENAME TO hourly_count;
ALTER TABLE figured RENAME TO count_cursor;
ALTER TABLE counted RENAME TO metric_sample;
ALTER TABLE tally RENAME TO usage;
ALTER TABLE opt_out RENAME COLUMN sender TO from_address;
ALTER TABLE circuit RENAME COLUMN sender TO from_address;
ALTER TABLE inbound RENAME COLUMN sender TO masked_phone;

UPDATE schema_version SET version = 4;
