"""The garbage collector, told what a server that has started looks like."""

import gc


def settle() -> None:
    """Once, when everything is loaded and before anything is served.

    What was loaded stays, half a million objects: walking through them again and again stopped all
    threads for a tenth of a second each time, which was the slowest hundredth of the replies. What
    a request makes goes by counting, so the collector need not look after every 700 objects.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
