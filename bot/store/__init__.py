"""The database: SQL and transactions. One module for each table and for each kind of database."""
