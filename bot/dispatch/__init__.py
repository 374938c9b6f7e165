"""Background duties, each a `run_once`: the loop and the threads beside it repeat them."""
