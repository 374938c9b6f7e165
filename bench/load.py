"""Sends prepared requests over persistent connections and measures the response time of each.

It runs as a separate process, so that it does not share an interpreter with the benchmark. It
reads a pickled Job from standard input and writes JSON.
"""

import json
import pickle
import socket
import sys
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass, field


@dataclass
class Job:
    port: int
    requests: list[bytes]
    connections: int
    rate: float | None = None  # requests a second; None: as fast as they are answered


@dataclass
class Result:
    seconds: float
    statuses: dict[str, int]
    milliseconds: list[float] = field(repr=False)
    began: float = 0.0  # of time.monotonic(), which is the same in all processes of a host

    @property
    def rate(self) -> float:
        return len(self.milliseconds) / self.seconds

    def percentile(self, share: float) -> float:
        ordered = sorted(self.milliseconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def exchange(connection: socket.socket, request: bytes) -> bytes:
    """Sends a request, reads its answer, and returns the status. Reads no body without a length."""
    connection.sendall(request)
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        body += _more(connection)
    return head[9:12]


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ConnectionError("the server has closed the connection")
    return data


def run(job: Job) -> Result:
    place = iter(enumerate(job.requests))
    lock = threading.Lock()
    times: list[float] = []
    statuses: Counter[str] = Counter()
    began = time.monotonic()

    def work() -> None:
        with socket.create_connection(("127.0.0.1", job.port)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                with lock:
                    number, request = next(place, (0, None))
                if request is None:
                    return
                if job.rate is not None:
                    time.sleep(max(0.0, began + number / job.rate - time.monotonic()))
                sent = time.perf_counter()
                status = exchange(connection, request)
                times.append((time.perf_counter() - sent) * 1000)
                with lock:
                    statuses[status.decode()] += 1

    threads = [threading.Thread(target=work) for _ in range(job.connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Result(time.monotonic() - began, dict(statuses), times, began)


if __name__ == "__main__":
    json.dump(asdict(run(pickle.load(sys.stdin.buffer))), sys.stdout)
