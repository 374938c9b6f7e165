"""An answer that a client reads in parts has one deadline, by the monotonic clock."""

from types import SimpleNamespace

import pytest

from bot.observability.cuts import Cut
from bot.server import connection as module
from bot.server.connection import WRITE_SECONDS, Connection, TooSlow
from bot.server.connections import Connections


class Reader(Connection):
    """Its client reads so many bytes at a time, each time after so many seconds."""

    def __init__(self, registry: Connections, clock: "Clock", *, bytes: int, seconds: float):
        super().__init__(registry)
        self._clock, self._bytes, self._seconds = clock, bytes, seconds
        self.sent = b""

    def send(self, data: memoryview, flags: int = 0) -> int:
        if self._seconds > self.gettimeout():
            raise TimeoutError
        self._clock.seconds += self._seconds
        part = bytes(data[: self._bytes])
        self.sent += part
        return len(part)


class Clock:
    """In place of the module `time`; it has no wall clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 1000.0
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: self.seconds))


def connections(cuts: list[str]) -> Connections:
    return Connections(most=10, of_one_address=0, keepalive=5, cut=cuts.append)


@pytest.mark.parametrize("count", [1, 7, 1000])
def test_a_client_that_reads_in_parts_gets_all_of_it(
    monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    cuts: list[str] = []
    with Reader(connections(cuts), Clock(monkeypatch), bytes=count, seconds=0.1) as reader:
        reader.sendall(b"an answer of a hundred bytes" * 4)
        assert reader.sent == b"an answer of a hundred bytes" * 4
    assert not cuts


@pytest.mark.parametrize("seconds", [1.0, WRITE_SECONDS + 1])
def test_a_client_that_reads_a_byte_a_second_is_cut(
    monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    cuts: list[str] = []
    clock = Clock(monkeypatch)
    with Reader(connections(cuts), clock, bytes=1, seconds=seconds) as reader:
        with pytest.raises(TooSlow):
            reader.sendall(b"x" * 100)
        assert clock.seconds <= 1000 + WRITE_SECONDS
        assert reader.is_over
    assert cuts == [Cut.ANSWER.value]
