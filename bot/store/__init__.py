"""The memory: SQL and transactions. One file a table, one file a database."""
