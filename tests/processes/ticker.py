"""Repeats a small request until its input ends, and prints how many seconds the slowest took.

A process of its own: a thread beside the request that it is measured against would wait for the
same interpreter. `python -m tests.processes.ticker PORT`.
"""

import http.client
import select
import sys
import time
from contextlib import closing


def slowest_answer(port: int) -> float:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        slowest = 0.0
        print("ready", flush=True)
        while not select.select([sys.stdin], [], [], 0)[0]:
            began = time.monotonic()
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            slowest = max(slowest, time.monotonic() - began)
        return slowest


if __name__ == "__main__":
    print(slowest_answer(int(sys.argv[1])))
