"""What can be done, each a function of one transaction; ids and nonces are handed in."""
