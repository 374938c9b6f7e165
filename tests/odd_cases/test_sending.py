"""Calls that take too long, rows that cannot be read, duties that wait, texts left at Twilio."""

import math
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.admission.circuit_breaker import LOOKED_AT, CircuitBreaker, Thresholds
from bot.channels.gateway import Postponed, Refused, Unknown
from bot.channels.twilio.client import TwilioGateway
from bot.dispatch import credentials, erase
from bot.domain.effects import UsageKind
from bot.outbound import bounded
from bot.store import verification_list
from bot.store.usage import Usage
from bot.store.verification_list import ListFilter
from simulator import faults
from simulator.world import new_sid
from tests.harness import ACCOUNT, INSTANCES, NUMBER, PHONE, SYSTEM_KEY, Harness, environment
from tests.harness import harness as open_harness
from tests.sms.webhooks import report, signed

OTHER = "+14255550177"

# -- 24. one deadline for a whole call -------------------------------------------------------------


@contextmanager
def listener(serve: Any) -> Iterator[int]:
    """A server of one function for each connection; its port."""
    server = socket.create_server(("127.0.0.1", 0), backlog=16)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield int(server.getsockname()[1])
    finally:
        server.close()


def gateway(port: int, host: str = "127.0.0.1", seconds: str = "0.5") -> TwilioGateway:
    from bot import settings

    values = environment(
        TWILIO_API_BASE_URL=f"http://{host}:{port}", TWILIO_TIMEOUT_SECONDS=seconds
    )
    return TwilioGateway(settings.read(values))


def send(to: TwilioGateway, until: float | None = None) -> tuple[object, float]:
    """The result, and how long it took."""
    began = time.monotonic()
    result = to.send(
        to=PHONE, body="x", validity_seconds=60, text_id="t", until=until or began + 60
    )
    return result, time.monotonic() - began


def dribble(connection: socket.socket) -> None:
    """An answer of a byte at a time: no timeout of a single read ends it."""
    with suppress(OSError):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            connection.sendall(b"x")
            time.sleep(0.1)


def dribble_headers(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.recv(65536)
        for _ in range(100):
            connection.sendall(b"H")
            time.sleep(0.1)


@pytest.mark.timed
@pytest.mark.parametrize("serve", [dribble, dribble_headers, lambda connection: time.sleep(5)])
def test_an_answer_that_dribbles_is_cut_at_the_deadline(serve: Any) -> None:
    with listener(serve) as port:
        result, seconds = send(gateway(port))
    assert isinstance(result, Unknown)
    assert seconds < 4, "the deadline is half a second, the answer takes five or more"


@pytest.mark.timed
def test_silent_addresses_leave_time_for_one_that_answers(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six that never answer, then a good one: within the call's time, and one text."""
    port = int(harness.simulator.url.rpartition(":")[2])
    with silent_address() as silent:
        good = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
        monkeypatch.setattr(bounded, "resolve", lambda *_: [silent] * 6 + [good])
        result, seconds = send(gateway(port, seconds="2"))
        assert type(result).__name__ == "Accepted"
        assert seconds < 2
        monkeypatch.setattr(bounded, "resolve", lambda *_: [silent] * 6)
        result, seconds = send(gateway(port, seconds="0.6"))
        assert result == Postponed(None), "nothing was written"
        assert seconds < 1


@contextmanager
def silent_address() -> Iterator[tuple[Any, ...]]:
    """A listener whose queue is full: further connections get no answer."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(0)
    fillers = []
    for _ in range(4):
        filler = socket.socket()
        filler.setblocking(False)
        with suppress(BlockingIOError):
            filler.connect(server.getsockname())
        fillers.append(filler)
    try:
        yield (socket.AF_INET, socket.SOCK_STREAM, 6, "", server.getsockname())
    finally:
        for opened in (*fillers, server):
            opened.close()


def test_a_resolver_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    look_up = socket.getaddrinfo

    def hang(host: str, *args: Any, **more: Any) -> Any:
        if more.get("flags"):
            return look_up(host, *args, **more)
        time.sleep(3)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    made = gateway(1)
    made.client.http_client.base_url = "http://twilio.invalid:1"
    result, seconds = send(made)
    assert result == Postponed(None)
    assert seconds < 2.5, "the resolver takes three"


def test_nothing_is_written_once_the_lease_is_over(harness: Harness) -> None:
    """A process that was paused between its claim and its call."""
    port = int(harness.simulator.url.rpartition(":")[2])
    result, _ = send(gateway(port), until=time.monotonic() - 0.001)
    assert result == Postponed(None)
    assert harness.texts() == []


def test_what_nothing_ever_tried_to_send_was_not_sent(harness: Harness) -> None:
    """No dispatcher ran until after the latest deadline."""
    id = harness.start()["id"]
    harness.clock.forward(200)
    harness.dispatcher.turn()
    harness.run_once()
    assert harness.status(id)["customStatus"]["cause"] == "send_given_up"
    assert harness.texts() == []


PROBLEM = b'{"type": "about:blank", "title": "No", "status": %d, "code": %d, "detail": ""}'
ODD_ANSWERS = {
    (400, 21211): Refused,
    (401, 20003): Refused,
    (429, 20429): Postponed,
    (503, 20503): Unknown,
}


@pytest.mark.parametrize(("status", "code"), ODD_ANSWERS)
def test_a_refusal_as_problem_details_is_a_refusal(status: int, code: int) -> None:
    """The library has an exception of its own for it (RFC 9457)."""
    body = PROBLEM % (status, code)

    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        head = f"HTTP/1.1 {status} No\r\nContent-Type: application/problem+json\r\n"
        length = f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode() + length.encode() + body)
        connection.close()

    with listener(serve) as port:
        result, _ = send(gateway(port))
    assert isinstance(result, ODD_ANSWERS[status, code])


@pytest.mark.parametrize("head", ["103 Early Hints", "302 Found", "304 Not Modified"])
def test_only_a_4xx_is_a_refusal(head: str) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(f"HTTP/1.1 {head}\r\nContent-Length: 0\r\n\r\n".encode())
        connection.close()

    with listener(serve) as port:
        result, _ = send(gateway(port))
    assert isinstance(result, Unknown)


def test_a_lease_that_ran_out_before_the_call_hands_the_text_back(harness: Harness) -> None:
    id = harness.start()["id"]
    send = harness.dispatcher.send
    (claim,) = send.claim(1)
    send.monotonic = lambda: claim.asked_at + 100
    send.carry_out(claim)
    assert harness.texts() == []
    assert harness.view(id).text.state == "queued"


def test_nothing_is_sent_after_its_time(harness: Harness) -> None:
    """A process that was halted between its claim and its call, within its lease."""
    id = harness.start()["id"]
    harness.clock.forward(59)
    send = harness.dispatcher.send
    (claim,) = send.claim(1)
    harness.clock.forward(2)
    send.monotonic = lambda: claim.asked_at + 2
    send.carry_out(claim)
    harness.run_once()
    assert harness.texts() == []
    assert harness.status(id)["customStatus"]["cause"] == "send_given_up"


# -- 25. a row that cannot be read -----------------------------------------------------------------

BROKEN = [
    ("verification", "first_try_at", "2026-13-45"),
    ("verification", "first_try_at", "soon"),
    ("verification", "deadline_at", ""),
    ("verification", "created_at", "2026-13-45"),
    ("verification", "due_at", "2026-01-01"),
    ("verification", "updated_at", "x"),
    ("outbox", "first_try_at", "2026-13-45"),
    ("outbox", "queued_at", "2026-13-45"),
    ("outbox", "due_at", "2026-01-01 or so"),
]


@pytest.mark.parametrize(("table", "column", "value"), BROKEN)
def test_a_row_that_cannot_be_read_holds_nobody_up(
    any_harness: Harness, table: str, column: str, value: str, caplog: pytest.LogCaptureFixture
) -> None:
    harness = any_harness
    broken = harness.start(OTHER)["id"]
    key = "id" if table == "verification" else "verification_id"
    harness.store.write(
        lambda tx: _done(
            tx.run(
                f"UPDATE {table} SET {column} = :value WHERE {key} = :id", value=value, id=broken
            )
        )
    )
    others = [harness.start(f"+1425555015{digit}")["id"] for digit in range(3)]
    for _ in range(10):  # a run has a time budget, which a busy machine may use up
        harness.run_once()
    for digit, id in enumerate(others):
        phone = f"+1425555015{digit}"
        harness.text(harness.code(phone), phone)
        assert harness.status(id)["output"] is True
    late = harness.start_and_send()["id"]
    harness.dispatcher.sweep()
    harness.forward(700)
    assert harness.status(late)["customStatus"]["status"] == "expired"
    for _ in range(15):
        harness.run_once()
    assert len(caplog.text) < 30_000, "it does not fill the log"
    assert harness.call("GET", "/runtime/webhooks/durabletask/instances").status_code == 200
    assert harness.post_start("+14255550166").status_code == 202


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("verification", "first_try_at", "soon"),
        ("verification", "created_at", "2026-01-31 12:00:02"),  # no zone, and in its place
        ("outbox", "queued_at", "2026-13-45"),
    ],
)
def test_rows_that_cannot_be_read_do_not_end_a_list(
    any_harness: Harness, table: str, column: str, value: str
) -> None:
    """Wherever in a page they are; their own pages are no shorter where others can stand in."""
    harness = any_harness
    ids = []
    for number in range(12):
        ids.append(harness.start(f"+1425555{number:04}")["id"])
        harness.forward(1)
    broken = [ids[2], ids[3], ids[7]]
    key = "id" if table == "verification" else "verification_id"
    for id in broken:
        sql = f"UPDATE {table} SET {column} = :value WHERE {key} = :id"
        harness.store.write(lambda tx, sql=sql, id=id: _done(tx.run(sql, value=value, id=id)))
    seen: list[str] = []
    token = ""
    for _ in range(12):
        headers = {"x-ms-continuation-token": token} if token else {}
        page = harness.call("GET", INSTANCES, headers=headers, params={"top": "4"})
        assert page.status_code == 200
        seen += [one["instanceId"] for one in page.json()]
        token = page.headers["x-ms-continuation-token"]
        if not token:
            break
    assert seen == [id for id in ids if id not in broken]
    for newest_first in (True, False):
        wanted = ListFilter(limit=10, newest_first=newest_first)
        assert len(harness.store.read(verification_list.find, wanted)) >= 9


def _done(value: int) -> Any:
    from bot.store.tx import Done

    return Done(value)


def test_one_set_aside_is_reported_and_tried_again_after_a_restart(harness: Harness) -> None:
    id = harness.start(OTHER)["id"]

    def put(value: str | None) -> None:
        sql = "UPDATE verification SET first_try_at = :value WHERE id = :id"
        harness.store.write(lambda tx: _done(tx.run(sql, value=value, id=id)))

    put("2026-13-45")
    harness.run_once()
    ready = harness.call("GET", "/readyz")
    assert ready.status_code == 503
    assert "set_aside" in ready.json()["reasons"]
    metrics = harness.call("GET", "/metrics", headers={"Authorization": f"Bearer {SYSTEM_KEY}"})
    assert "textback_rows_set_aside 2.0" in metrics.text, "it and its text"
    put(None)
    from bot.usecases.repair import begin_anew

    harness.store.write(begin_anew)
    harness.clock.forward(5)
    harness.run_once()
    harness.forward(5)
    harness.forward(5)
    assert harness.call("GET", "/readyz").status_code == 200
    assert len(harness.texts(OTHER)) == 1, "looked up, found nowhere, then sent"


# -- 26. duties wait for Twilio each by itself -----------------------------------------------------


def test_the_probe_does_not_wait_behind_erasures(tmp_path: Path) -> None:
    with open_harness(tmp_path, ERASE_AT_TWILIO="yes") as harness:
        harness.dispatcher.start()
        threads = {thread.name for thread in threading.enumerate()}
        assert {"credentials", "erase", "count", "sweep"} <= threads, "each in a thread of its own"


def test_nothing_is_erased_while_twilio_does_not_know_us(tmp_path: Path) -> None:
    """Each would fail, and its tries are few."""
    with open_harness(tmp_path, ERASE_AT_TWILIO="yes") as harness:
        harness.start_and_send()
        harness.simulator.faults.add(faults.REFUSE, code=20003)
        harness.start_and_send(OTHER)
        harness.text(harness.code())
        assert (
            erase.run_once(harness.store, harness.service.gateway, harness.service.rules, math.inf)
            == 0
        )
        harness.clock.forward(10)
        assert credentials.run_once(
            harness.store, harness.service.gateway, harness.service.rules, math.inf
        )
        assert (
            erase.run_once(harness.store, harness.service.gateway, harness.service.rules, math.inf)
            == 2
        )


# -- 27. texts left at Twilio ----------------------------------------------------------------------


@pytest.fixture
def erasing(tmp_path: Path) -> Iterator[Harness]:
    with open_harness(tmp_path, ERASE_AT_TWILIO="yes") as harness:
        yield harness


def delivered(harness: Harness) -> None:
    """Twilio empties only what is no longer on its way."""
    for message in harness.simulator.world.messages():
        if message.direction == "outbound-api":
            harness.simulator.world.set_status(message.sid, "delivered")


def deliver_all(harness: Harness) -> None:
    delivered(harness)
    harness.clock.forward(61)
    erase.run_once(harness.store, harness.service.gateway, harness.service.rules, math.inf)


def erased_at_twilio(harness: Harness) -> None:
    deliver_all(harness)
    left = [m for m in harness.simulator.world.messages() if not m.is_erased]
    assert [m for m in left if m.direction in ("outbound-api", "inbound")] == []


def test_a_text_accepted_after_its_number_was_forgotten_is_erased(erasing: Harness) -> None:
    send = erasing.simulator.webhooks.report

    def forgotten_meanwhile(message: Any) -> Any:
        erasing.forget(PHONE)
        return send(message)

    erasing.simulator.webhooks.report = forgotten_meanwhile
    erasing.start_and_send()
    assert len(erasing.texts()) == 1
    erased_at_twilio(erasing)


def test_a_text_that_only_a_report_tells_of_is_erased(erasing: Harness) -> None:
    """The process died with Twilio's answer, and the number was forgotten."""
    erasing.simulator.faults.add(faults.ERROR_AFTER)
    erasing.simulator.faults.add(faults.LIST_ERROR, times=50)
    id = erasing.start_and_send()["id"]
    text_id = erasing.view(id).text.id
    erasing.forget(PHONE)
    form = {
        "MessageSid": erasing.texts()[0].sid,
        "AccountSid": ACCOUNT.sid,
        "MessageStatus": "delivered",
    }
    assert signed(erasing, f"/twilio/status/{text_id}", form).status_code == 204
    erased_at_twilio(erasing)


def test_the_reply_is_erased_too_and_a_late_one(erasing: Harness) -> None:
    erasing.start_and_send()
    code = erasing.code()
    erasing.text(erasing.wrong())
    erasing.text(code)
    erasing.text(code)
    erased_at_twilio(erasing)


def test_a_code_that_comes_after_all_was_forgotten_is_erased(erasing: Harness) -> None:
    erasing.start_and_send()
    code = erasing.code()
    erasing.forget(PHONE)
    erasing.text(code)
    erased_at_twilio(erasing)


@pytest.mark.parametrize("how", ["terminate", "STOP", "NO", "supersede", "expire"])
def test_a_text_of_unknown_outcome_is_found_and_erased_after_the_end(
    erasing: Harness, how: str
) -> None:
    erasing.simulator.faults.add(faults.ERROR_AFTER)
    id = erasing.start()["id"]
    erasing.dispatcher.send.run_once()
    assert erasing.view(id).text.state == "unknown"
    if how == "terminate":
        erasing.terminate(id, None)
    elif how == "supersede":
        erasing.start()
    elif how == "expire":
        erasing.simulator.faults.add(faults.LIST_ERROR, times=100)
        for _ in range(16):
            erasing.forward(10)
        erasing.simulator.faults.clear()
        erasing.simulator.faults.add(faults.REPORTS_NEVER, times=1000)
    else:
        erasing.text(how)
    assert erasing.status(id)["customStatus"]["status"] != "pending"
    delivered(erasing)
    for _ in range(6):
        erasing.forward(60)
    deliver_all(erasing)
    assert erasing.texts()[0].is_erased


def test_texts_that_are_looked_up_after_the_end_hold_up_no_other(tmp_path: Path) -> None:
    """Twilio's list hangs: each look takes as long as a call may."""
    with open_harness(tmp_path, ERASE_AT_TWILIO="yes", SEND_CONCURRENCY="4") as harness:
        harness.simulator.faults.add(faults.ERROR_AFTER, times=20)
        harness.simulator.faults.add(faults.LIST_ERROR, times=10**6)
        for number in range(20):
            harness.start(f"+1425555{1000 + number}")
        harness.run_once()
        for _ in range(20):
            harness.forward(10)
        send = harness.dispatcher.send
        harness.clock.forward(6)
        harness.start()
        claims = send.claim(4)
        assert sum(claim.is_after_end for claim in claims) <= 1
        harness.clock.forward(8)
        for claim in claims:
            send.carry_out(claim)
        for claim in send.claim(4):
            send.carry_out(claim)
        assert len(harness.texts()) == 1
        harness.clock.forward(600)
        looked = 0
        while claims := send.claim(64):
            looked += len(claims)
            for claim in claims:
                send.carry_out(claim)
            harness.clock.forward(30)
            assert looked < 200


@pytest.mark.parametrize(
    "body",
    ["{code} or 1111", "{code}, call 5551", "my code:{code}/4", "stop {code}", "{code} STOP"]
    + ["Loved “{text}”", "\u200a\u200b👍\u200b to “\u200a{text}\u200a”", "no {code}"],
)
def test_every_reply_that_holds_a_forgotten_code_is_erased(erasing: Harness, body: str) -> None:
    erasing.start_and_send()
    code, text = erasing.code(), erasing.texts()[-1].body
    erasing.forget(PHONE)
    erasing.text(body.format(code=code, text=text))
    erased_at_twilio(erasing)


def test_texts_of_strangers_and_keywords_are_left_alone(erasing: Harness) -> None:
    erasing.text("hello, is this the pizza place?")
    erasing.text("STOP")
    erase.run_once(erasing.store, erasing.service.gateway, erasing.service.rules, math.inf)
    found = erasing.simulator.world.of_phone(PHONE)
    assert [m.is_erased for m in found if m.direction == "inbound"] == [False, False]


# -- 28. the breaker with many areas ---------------------------------------------------------------


def test_a_start_costs_the_same_with_many_areas() -> None:
    """Measured in one run: the second half of 60,000 areas beside the first five thousand."""
    breaker = CircuitBreaker(Thresholds(), answer_time=timedelta(seconds=150))
    at = datetime(2026, 1, 31, 12, tzinfo=UTC)

    def seconds(numbers: range) -> float:
        began = time.process_time()
        for number in numbers:
            phone = f"+1{number:06}0000"
            breaker.count(Usage(number, UsageKind.START, phone, "US", "function", "id", at))
        return (time.process_time() - began) / len(numbers)

    first = seconds(range(5_000))
    seconds(range(5_000, 30_000))
    last = seconds(range(30_000, 60_000))
    assert last < 5 * first
    began = time.process_time()
    breaker.open_areas(at)
    assert time.process_time() - began < 0.05


def test_areas_without_texts_are_removed_a_few_at_a_time() -> None:
    breaker = CircuitBreaker(Thresholds(), answer_time=timedelta(seconds=150))
    at = datetime(2026, 1, 31, 12, tzinfo=UTC)

    def count(prefixes: range, at: datetime) -> None:
        for number in prefixes:
            phone = f"+1{number:06}0000"
            breaker.count(Usage(number, UsageKind.START, phone, "US", "function", "id", at))

    count(range(1_000), at)
    assert breaker.area_count == 1_001  # and the country
    count(range(2_000, 2_001), at + timedelta(hours=2))
    assert breaker.area_count >= 1_001 + 1 - LOOKED_AT
    count(range(2_001, 2_500), at + timedelta(hours=2))
    assert breaker.area_count == 501


def test_starts_wait_for_the_first_reading(harness: Harness) -> None:
    """No limit can be kept before the starts of the last hour are counted."""
    follower = harness.service.admission.follower
    with follower.lock:
        response = harness.post_start()
    assert (response.status_code, response.json()["code"]) == (503, "still_counting")
    assert response.headers["Retry-After"] == "1"
    assert harness.post_start().status_code == 202


# -- 29. failures that are ours --------------------------------------------------------------------


@pytest.mark.parametrize("code", [21408, 20404, 21606, 30037, 21703])
def test_refusals_that_are_ours_do_not_count_against_the_number(tmp_path: Path, code: int) -> None:
    with open_harness(tmp_path, LIMIT_PER_NUMBER="5/10 minutes", LIMIT_TOTAL="8/hour") as harness:
        harness.simulator.faults.add(faults.REFUSE, code=code, times=6)
        for _ in range(6):
            assert harness.status(harness.start_and_send()["id"])["runtimeStatus"] == "Failed"
        assert harness.post_start().status_code == 202
        assert harness.post_start(OTHER).status_code == 202
        assert harness.post_start("+14255550166").json()["limit"].startswith("LIMIT_TOTAL")


def test_passing_troubles_and_reports_of_ours_do_not_count_either(tmp_path: Path) -> None:
    with open_harness(tmp_path, LIMIT_PER_NUMBER="1/day") as harness:
        harness.simulator.faults.add(faults.REFUSE, code=20429, times=1000)
        harness.start_and_send()
        for _ in range(70):
            harness.forward(1)
        harness.simulator.faults.clear()
        harness.simulator.faults.add(faults.REPORTS_NEVER, times=1000)
        id = harness.start_and_send()["id"]
        report(harness, id, "failed", code=30034)
        assert harness.status(id)["customStatus"]["cause"] == "not_delivered"
        harness.start_and_send()
        assert harness.post_start().json()["code"] == "limit_reached"


def test_a_further_text_that_is_refused_through_us_does_not_count_either(tmp_path: Path) -> None:
    with open_harness(tmp_path, LIMIT_PER_NUMBER="3/hour", LIMIT_TOTAL="4/hour") as harness:
        id = harness.start_and_send()["id"]
        for _ in range(2):
            harness.forward(16)
            harness.simulator.faults.add(faults.REFUSE, code=21408)
            resent = f"{INSTANCES}/{id}/raiseEvent/ResendSmsChallenge"
            assert harness.call("POST", resent, json={}).status_code == 202
            harness.run_once()
        assert harness.history(id)[-1] == "further_text_failed"
        assert harness.post_start().status_code == 202
        assert harness.post_start(OTHER).json()["limit"].startswith("LIMIT_TOTAL")


@pytest.mark.parametrize(
    ("code", "refusal"),
    [(21211, "limit_reached"), (21614, "limit_reached"), (21610, "opted_out")],
)
def test_what_the_number_is_to_blame_for_counts(tmp_path: Path, code: int, refusal: str) -> None:
    with open_harness(tmp_path, LIMIT_PER_NUMBER="1/day") as harness:
        harness.simulator.faults.add(faults.REFUSE, code=code)
        harness.start_and_send()
        assert harness.post_start().json()["code"] == refusal


def test_a_failure_buys_no_guesses(tmp_path: Path) -> None:
    """A start with guesses while Twilio is away still counts."""
    with open_harness(tmp_path, LIMIT_PER_NUMBER="1/day", CODE_LENGTH="10") as harness:
        id = harness.start()["id"]
        harness.answer(id, "0" * 10)
        harness.forward(700)
        status = harness.status(id)
        assert (status["runtimeStatus"], status["customStatus"]["attemptsUsed"]) == ("Failed", 1)
        assert harness.post_start().json()["code"] == "limit_reached"


def test_texts_that_never_went_out_open_no_area(tmp_path: Path) -> None:
    with open_harness(tmp_path, BREAKER_TEXTS_PER_PREFIX="5") as harness:
        harness.simulator.faults.add(faults.REFUSE, code=21408, times=10)
        for number in range(10):
            harness.start_and_send(f"+1425555{number:04}")
        harness.forward(200)
        assert harness.open_areas() == []


# -- 30. unsigned forms ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("signature", "fields"), [("x" * 27 + "=", 13_500), ("x", 3), ("x" * 4000, 3), ("", 100)]
)
def test_an_unsigned_form_is_not_even_hashed(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, signature: str, fields: int
) -> None:
    from twilio.request_validator import RequestValidator

    monkeypatch.setattr(RequestValidator, "compute_signature", partial(pytest.fail, "hashed"))
    body = "&".join(["a="] * fields)
    response = harness.call(
        "POST",
        "/twilio/sms",
        data=body,
        headers={
            "X-Twilio-Signature": signature,
            "Content-Type": "application/x-www-form-urlencoded",
        },
    )
    assert response.status_code == 403


def test_as_many_fields_as_twilio_sends_are_read(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    form = {f"MediaUrl{number}": "https://example.com" for number in range(60)}
    form |= {"MessageSid": new_sid("SM"), "From": PHONE, "To": NUMBER, "Body": harness.code()}
    assert signed(harness, "/twilio/sms", {**form, "AccountSid": ACCOUNT.sid}).status_code == 200
    assert harness.status(id)["output"] is True


# -- 31. rows of metrics ---------------------------------------------------------------------------


def test_commands_leave_no_rows_of_their_own(harness: Harness) -> None:
    for number in range(20):
        harness.flask("start", f"+1425555{number:04}", "--no-wait")
    rows = harness.store.read(lambda tx: tx.all("SELECT DISTINCT process FROM metric_sample"))
    assert [row["process"] for row in rows] == ["past"]


def test_the_sweep_folds_what_is_over(harness: Harness) -> None:
    store = harness.store
    harness.dispatcher.sweep()
    from bot.store import metric_samples

    for name in ("one", "two"):
        store.write(lambda tx, name=name: _done(metric_samples.put(tx, name, {"x": 2.0}) or 0))
    for _ in range(9 * 24):
        harness.clock.forward(3600)
        harness.dispatcher.sweep()
    rows = store.read(
        lambda tx: tx.all("SELECT process, value FROM metric_sample WHERE sample = 'x'")
    )
    assert [(row["process"], row["value"]) for row in rows] == [("past", 4.0)]


FRAMINGS = {
    "kept": b"HTTP/1.1 201 Created\r\nContent-Length: 1000\r\n\r\n",
    "closed": b"HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n",
    "old": b"HTTP/1.0 201 Created\r\nContent-Length: 1000\r\n\r\n",
    "without a length": b"HTTP/1.1 201 Created\r\nConnection: close\r\n\r\n",
    "in chunks": b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n",
    "a fault": b"HTTP/1.1 503 Away\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n",
}


@pytest.mark.parametrize("framing", FRAMINGS)
def test_the_deadline_holds_however_an_answer_is_framed(framing: str) -> None:
    def serve(connection: socket.socket) -> None:
        with suppress(OSError):
            connection.recv(65536)
            connection.sendall(FRAMINGS[framing])
            for _ in range(50):
                connection.sendall(b"1\r\nx\r\n" if framing == "in chunks" else b"x")
                time.sleep(0.1)

    with listener(serve) as port:
        result, seconds = send(gateway(port))
    assert isinstance(result, Unknown)
    assert seconds < 4, "the deadline is half a second, the answer takes five or more"


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("outbox", "due_at", "2026-00-10T00:00:00.000000Z"),
        ("outbox", "due_at", ""),
        ("outbox", "due_at", "2026-01-01T00:00:00"),  # no zone
        ("verification", "due_at", "2026-01-01T00:00:00"),
        ("verification", "due_at", ""),
        ("verification", "created_at", "2026-01-01T00:00:00"),
        ("verification", "start_input", "x"),
        ("history", "at", "2099-01-01T00:00:00"),
        ("history", "detail", "x"),
        ("usage", "at", "2099-01-01T00:00:00"),
        ("time_mark", "at", "x"),
    ],
)
def test_no_value_of_one_row_stops_the_others(
    harness: Harness, table: str, column: str, value: str
) -> None:
    harness.dispatcher.sweep()
    broken = harness.start(OTHER)["id"]
    keys = {"verification": "id", "time_mark": None, "usage": "verification_id"}
    key = keys.get(table, "verification_id")
    condition = f"WHERE {key} = :id" if key else ""
    params = {"id": broken} if key else {}
    sql = f"UPDATE {table} SET {column} = :value {condition}"
    harness.store.write(lambda tx: _done(tx.run(sql, value=value, **params)))
    id = harness.start_and_send()["id"]
    harness.text(harness.code())
    assert harness.status(id)["output"] is True
    instances = "/runtime/webhooks/durabletask/instances"
    assert harness.call("GET", instances).status_code == 200
    assert harness.call("GET", f"{instances}/{id}?showHistory=true").status_code == 200
    assert harness.call("GET", "/readyz").status_code in (200, 503)
    harness.dispatcher.sweep()
    assert harness.post_start("+14255550166").status_code == 202


def test_a_probe_that_failed_through_us_closes_no_circuit() -> None:
    """A probe's text was not counted, so its failure must not subtract one."""
    breaker = CircuitBreaker(Thresholds(texts_per_prefix=5), answer_time=timedelta(seconds=150))
    at = datetime(2026, 1, 31, 12, tzinfo=UTC)

    def count(kind: UsageKind, id: str) -> None:
        breaker.count(Usage(1, kind, "+14255550123", "US", "function", id, at))

    for number in range(5):
        count(UsageKind.START, f"id-{number}")
    later = at + timedelta(seconds=200)
    assert breaker.open_areas(later) == ["+1425555"]
    count(UsageKind.PROBE, "probed")
    count(UsageKind.UNSENT, "probed")
    assert breaker.open_areas(later) == ["+1425555"]
    count(UsageKind.UNSENT, "id-0")
    assert breaker.open_areas(later) == []
