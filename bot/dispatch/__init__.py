"""Background duties, each a `run_once` that the loop repeats."""
