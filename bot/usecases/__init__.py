"""Use cases: each a function of one transaction. Ids and nonces are arguments. What takes several
transactions, or draws these values, is a function of the store."""
