"""Which connection is closed to make room for a new one, and what is counted."""

from contextlib import ExitStack

import pytest

from bot.server.connection import Connection
from bot.server.connections import BUFFERED_BYTES, LARGE_BYTES, Connections
from bot.server.queues import HALF_SENT_SECONDS, SLOW_BODY_SECONDS


def test_the_longest_idle_connection_of_an_address_makes_room_for_its_next() -> None:
    counted: list[str] = []
    connections = Connections(most=9, of_one_address=2, keepalive=5, cut=counted.append)
    with ExitStack() as stack:
        other, first, second, new, more = (
            stack.enter_context(Connection(connections)) for _ in range(5)
        )
        for connection, address in (
            (other, "192.0.2.9"),
            (first, "192.0.2.1"),
            (second, "192.0.2.1"),
        ):
            assert stack.enter_context(connections.admit(connection, (address, 1)))
        for connection in (other, first):
            connection.begin_waiting(has_begun=False)
        assert stack.enter_context(connections.admit(new, ("192.0.2.1", 1)))
        assert [one.is_over for one in (other, first, second)] == [False, True, False]
        assert not stack.enter_context(connections.admit(more, ("192.0.2.1", 1)))
        assert counted == ["crowded", "address"]
        first.begin_waiting(has_begun=False)  # its greenlet has not noticed yet
        assert not stack.enter_context(connections.admit(more, ("192.0.2.1", 1)))


def test_what_is_thrown_away_is_not_held() -> None:
    """An answered client that goes on sending does not push out one that sends a form."""
    counted: list[str] = []
    connections = Connections(most=9, of_one_address=0, keepalive=5, cut=counted.append)
    with ExitStack() as stack:
        answered, sending = (stack.enter_context(Connection(connections)) for _ in range(2))
        for connection in (answered, sending):
            stack.enter_context(connections.admit(connection, ("192.0.2.1", 1)))
            connection.begin_body()
        sending.is_reading = True
        connections.received(answered, BUFFERED_BYTES)
        answered.answered()
        connections.received(sending, LARGE_BYTES)
        assert (sending.is_over, counted) == (False, [])
        connections.received(answered, BUFFERED_BYTES)
        assert (sending.is_over, counted) == (True, ["crowded"])


def test_what_a_stop_cuts_is_counted() -> None:
    """Of those that wait for their next request nothing is lost."""
    counted: list[str] = []
    connections = Connections(most=9, of_one_address=0, keepalive=5, cut=counted.append)
    with ExitStack() as stack:
        waits, half, answered = (stack.enter_context(Connection(connections)) for _ in range(3))
        for connection in (waits, half, answered):
            stack.enter_context(connections.admit(connection, ("192.0.2.1", 1)))
        connections.received(half, 10)
        answered.begin_body()
        waits.is_reading = half.is_reading = True
        connections.end_half_sent()
        connections.end_half_sent()
        assert [one.is_over for one in (waits, half, answered)] == [True, True, False]
        assert counted == ["stopping"]
        connections.end_all()
        assert counted == ["stopping", "stopping"]


def test_a_body_that_stalls_makes_room_for_a_new_client() -> None:
    """Though not one that is being answered, nor one that has just begun to send."""
    counted: list[str] = []
    connections = Connections(most=3, of_one_address=0, keepalive=5, cut=counted.append)
    with ExitStack() as stack:
        waits, stalls, begins, new, more = (
            stack.enter_context(Connection(connections)) for _ in range(5)
        )
        for connection in (waits, stalls, begins):
            assert stack.enter_context(connections.admit(connection, ("192.0.2.1", 1)))
            connection.begin_body()
        stalls.is_reading = begins.is_reading = True
        for connection in (waits, stalls):
            connection.since -= SLOW_BODY_SECONDS
        assert stack.enter_context(connections.admit(new, ("192.0.2.2", 1)))
        assert [one.is_over for one in (waits, stalls, begins)] == [False, True, False]
        assert not stack.enter_context(connections.admit(more, ("192.0.2.2", 1)))
        assert counted == ["crowded", "refused"]
        begins.since -= HALF_SENT_SECONDS  # last of all
        assert stack.enter_context(connections.admit(more, ("192.0.2.2", 1)))
        assert begins.is_over


def test_callers_that_wait_leave_room_for_what_they_wait_for() -> None:
    ended: list[str] = []
    connections = Connections(
        most=20,
        of_one_address=0,
        keepalive=5,
        cut=lambda _: None,
        end_a_wait=lambda: ended.append("one"),
    )
    with ExitStack() as stack:
        for count in range(1, 21):
            connection = stack.enter_context(Connection(connections))
            assert stack.enter_context(connections.admit(connection, ("192.0.2.1", 1)))
            connection.begin_body()
            assert bool(ended) is (count > 18)


def test_one_that_is_answered_and_sends_more_makes_room_for_a_new_client() -> None:
    counted: list[str] = []
    connections = Connections(most=2, of_one_address=0, keepalive=5, cut=counted.append)
    with ExitStack() as stack:
        lingers, works, new = (stack.enter_context(Connection(connections)) for _ in range(3))
        for connection in (lingers, works):
            assert stack.enter_context(connections.admit(connection, ("192.0.2.1", 1)))
            connection.begin_body()
        connections.lingers(lingers)
        assert stack.enter_context(connections.admit(new, ("192.0.2.2", 1)))
        assert [one.is_over for one in (lingers, works)] == [True, False]
        assert counted == ["crowded"]


def test_a_client_that_reads_slowly_makes_room_for_a_new_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Last of all, and not one that has just begun to read."""
    counted: list[str] = []
    connections = Connections(most=2, of_one_address=0, keepalive=5, cut=counted.append)
    with ExitStack() as stack:
        slow, begins, new, more = (stack.enter_context(Connection(connections)) for _ in range(4))
        for connection in (slow, begins):
            assert stack.enter_context(connections.admit(connection, ("192.0.2.1", 1)))
            connection.begin_body()
            connections.begins_writing(connection)
        with monkeypatch.context() as patch:
            patch.setattr("bot.server.queues.SLOW_READ_SECONDS", 0.0)
            assert stack.enter_context(connections.admit(new, ("192.0.2.2", 1)))
        assert [one.is_over for one in (slow, begins)] == [True, False]
        assert not stack.enter_context(connections.admit(more, ("192.0.2.2", 1)))
        connections.has_written(begins)
        assert counted == ["crowded", "refused"]


@pytest.mark.parametrize("is_answered", [False, True])
def test_a_client_that_pipelines_makes_room_for_a_new_one(is_answered: bool) -> None:
    """It is never idle, and never slow: the first byte of its next request is always there. One
    that reads a static file slowly enough is hardly ever between two answers."""
    connections = Connections(most=2, of_one_address=0, keepalive=5, cut=lambda _: None)
    with ExitStack() as stack:
        pipelines, other, new = (stack.enter_context(Connection(connections)) for _ in range(3))
        for connection in (other, pipelines):
            assert stack.enter_context(connections.admit(connection, ("192.0.2.1", 1)))
        pipelines.begin_body()
        pipelines.begin_waiting(has_begun=True)
        for connection in (other, pipelines) if is_answered else ():
            connection.begin_body()
            connections.begins_writing(connection)
        assert stack.enter_context(connections.admit(new, ("192.0.2.2", 1)))
        assert [one.is_over for one in (pipelines, other)] == [True, False]
