"""Measures how fast the console's pages and searches answer with millions of verifications.

    python -m bench.console --rows 10000000 --keep /var/tmp/many

Each line has the fastest and the slowest of five requests, in milliseconds. The requests are made
in this process, without a server. Ten million rows take 14 GB and some 20 minutes to write.
"""

import argparse
import tempfile
import time
from pathlib import Path

from tests.console.conftest import Operator
from tests.console.million import QUERIES, fill
from tests.harness import HandClock, Harness
from tests.harness import harness as open_harness

PAGES = [
    "/",
    "/?period=24h",
    "/?period=7d",
    "/?period=30d",
    *(f"/verifications?{query}" for query in QUERIES),
    "/verifications.csv",
    "/verifications.json?q=sign-up&status=failed",
    "/limits?number=%2B14255500123",
    "/opt-outs",
    "/ignored",
    "/webhooks",
    "/audit",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument(
        "--keep", type=Path, help="a folder for the file, used again if it is there"
    )
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = asked.keep or Path(folder)
        path.mkdir(parents=True, exist_ok=True)
        if not (path / "textback.db").exists():
            fill(path / "textback.db", HandClock(), asked.rows)
        with open_harness(path) as harness:
            measure(harness)


def measure(harness: Harness) -> None:
    operator = Operator(harness.app.test_client())
    operator.sign_in()
    (newest,) = harness.newest(1)
    one = f"/verifications/{newest.verification.id}"
    for page in [*PAGES, one, f"/verifications?q=SM{newest.verification.id}"]:
        times = []
        for _ in range(5):
            began = time.perf_counter()
            response = operator.get("/console" + page)
            times.append(time.perf_counter() - began)
        print(
            f"{min(times) * 1000:6.0f} {max(times) * 1000:6.0f} ms  {response.status_code} {page}"
        )


if __name__ == "__main__":
    main()
