"""The simulator's server: connections are kept, requests do not run into each other."""

import http.client
import socket
import threading
from collections.abc import Iterator

import pytest
from flask import Flask, Response, request

from simulator.connections import LARGEST_BODY_BYTES, Server


def broken() -> Response:
    def parts() -> Iterator[str]:
        yield "half"
        raise RuntimeError

    return Response(parts(), headers={"Content-Length": "8"})


@pytest.fixture
def server() -> Iterator[Server]:
    app = Flask(__name__)
    app.add_url_rule("/unread", "unread", lambda: "unread", methods=["POST"])
    app.add_url_rule("/size", "size", lambda: str(len(request.data)), methods=["POST"])
    app.add_url_rule("/stream", "stream", lambda: iter(["one", "two"]), methods=["POST"])
    app.add_url_rule("/broken", "broken", broken, methods=["POST"])
    app.add_url_rule("/empty", "empty", lambda: ("", 204), methods=["POST"])
    made = Server("127.0.0.1", 0, app)
    thread = threading.Thread(target=made.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.close_kept()


@pytest.fixture
def client(server: Server) -> Iterator[http.client.HTTPConnection]:
    made = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    yield made
    made.close()


def ask(client: http.client.HTTPConnection, path: str, body: bytes) -> tuple[int, str]:
    client.request("POST", path, body)
    response = client.getresponse()
    return response.status, response.read().decode()


def test_one_connection_serves_many_requests(client: http.client.HTTPConnection) -> None:
    assert ask(client, "/size", b"four") == (200, "4")
    kept = client.sock
    assert ask(client, "/unread", b"POST / HTTP/1.1\r\n\r\n") == (200, "unread")
    assert ask(client, "/nowhere", b"more")[0] == 404
    assert ask(client, "/size", b"") == (200, "0")
    assert ask(client, "/empty", b"") == (204, "")
    assert client.sock is kept


def test_a_stream_ends_with_its_connection(client: http.client.HTTPConnection) -> None:
    assert ask(client, "/stream", b"") == (200, "onetwo")
    assert client.sock is None


def test_a_body_in_chunks_is_the_last_of_its_connection(client: http.client.HTTPConnection) -> None:
    """Trailers may follow it."""
    client.request("POST", "/size", iter([b"four", b"five5"]), encode_chunked=True)
    kept = client.sock.dup()
    assert client.getresponse().read() == b"9"
    assert client.sock is None, "the answer says so"
    kept.settimeout(5)
    assert kept.recv(1) == b""
    kept.close()


@pytest.mark.parametrize("chunk", ["nonsense\r\n", "4\r\nfour five\r\n", "-1\r\n"])
def test_a_broken_chunk_is_refused(server: Server, chunk: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        head = "POST /size HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall((head + chunk).encode())
        with connection.makefile("rb") as answer:
            assert answer.readline().startswith(b"HTTP/1.1 400")


def test_an_answer_that_breaks_off_ends_with_its_connection(
    client: http.client.HTTPConnection,
) -> None:
    client.request("POST", "/broken", b"")
    with pytest.raises(http.client.IncompleteRead):
        client.getresponse().read()


def test_a_body_in_chunks_has_the_same_bound(client: http.client.HTTPConnection) -> None:
    client.request("POST", "/size", iter([bytes(LARGEST_BODY_BYTES), b"x"]), encode_chunked=True)
    assert client.getresponse().status == 413


@pytest.mark.parametrize(
    ("length", "status"), [(str(LARGEST_BODY_BYTES + 1), 413), ("-1", 400), ("many", 400)]
)
def test_a_length_that_is_not_read(server: Server, length: str, status: int) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        head = f"POST /size HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n"
        connection.sendall(head.encode())
        with connection.makefile("rb") as answer:
            assert answer.readline().startswith(f"HTTP/1.1 {status}".encode())
            answer.read()  # to the end: the server closes


def test_a_client_that_waits_for_100_is_answered(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        head = "POST /size HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 100")
        connection.sendall(b"four")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")


def test_a_server_that_stops_closes_idle_connections(
    server: Server, client: http.client.HTTPConnection
) -> None:
    assert ask(client, "/size", b"four") == (200, "4")
    server.close_kept()
    assert client.sock.recv(1) == b""
