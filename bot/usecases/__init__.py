"""Use cases: each a function of one transaction. Ids and nonces are arguments."""
