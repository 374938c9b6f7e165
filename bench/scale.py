"""Many pending verifications, and the first start after a restart."""

import time
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from bench.where import Where, phones
from bot.store.rows import to_instant


@dataclass
class Scale:
    pending: int
    restart_seconds: float
    mebibytes: float
    threads: int
    lateness_p99_ms: float
    lateness_worst_ms: float


def scale(where: Where, pending: int, *, spread_seconds: float) -> Scale:
    """Measures `pending` verifications whose deadlines are spread over `spread_seconds`."""
    with where.service(f"pending-{pending}") as made:
        made.make_pending(phones(0, pending), spread_seconds=spread_seconds)
        began = time.perf_counter()
        process = made.start()
        seconds = time.perf_counter() - began
        threads = mebibytes = 0.0
        for _ in range(int(spread_seconds) + 15 + pending // 4000):
            time.sleep(1)
            child = _child(process.pid)
            status = Path(f"/proc/{child}/status").read_text()
            mebibytes = max(mebibytes, _number(status, "VmRSS") / 1024)
            threads = max(threads, _number(status, "Threads"))
        ends = made.ask(
            "SELECT h.at, v.ended_at FROM history h JOIN verification v"
            " ON v.id = h.verification_id WHERE h.event = 'expired'"
        )
        late = sorted(
            (to_instant(row["at"]) - to_instant(row["ended_at"])).total_seconds() * 1000
            for row in ends
        )
        assert len(late) == pending, (len(late), pending)
        urlopen(f"{made.url}/healthz", timeout=5).close()
        return Scale(
            pending, seconds, mebibytes, int(threads), late[int(len(late) * 0.99) - 1], late[-1]
        )


def _child(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def _number(status: str, name: str) -> float:
    line = next(line for line in status.splitlines() if line.startswith(name + ":"))
    return float(line.split()[1])


def areas(where: Where, count: int) -> tuple[float, float]:
    """Seconds until a restarted service answers, and seconds that its first start takes, when
    `count` prefixes had a start within the last hour."""
    with where.service(f"areas-{count}") as made:
        made.make_usage(count)
        booted = made.boot()
        began = time.perf_counter()
        result = made.drive([made.begun(phones(0, 1)[0])], connections=1)
        assert result.statuses == {"202": 1}, result.statuses
        return booted, time.perf_counter() - began
