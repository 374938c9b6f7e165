"""A real gunicorn: many replies at once, bodies that are refused, and no secret in its logs."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from simulator.world import new_sid
from tests.builders import wrong_code
from tests.databases import bytes_in
from tests.harness import ACCOUNT, FUNCTION_KEY, INSTANCES, PHONE, START, SYSTEM_KEY
from tests.processes.clients import clients_of_each, reply
from tests.processes.service import Service, until

PHONES_IN_PATHS = "+14255550377"


def begin(service: Service, phone: str = PHONE) -> str:
    id = service.begin(phone)
    until(lambda: service.texts(phone))
    until(lambda: service.status(id)["runtimeStatus"] == "Running")
    return id


def replies(service: Service, bodies: list[str], *, sid: str = "") -> list[str]:
    """Signed replies, all at once; what each was answered."""
    with ThreadPoolExecutor(50) as pool:
        return list(pool.map(lambda body: reply(service.http, service, PHONE, body, sid), bodies))


def test_200_wrong_replies_at_once_are_four_attempts_and_one_end(service: Service) -> None:
    service.start()
    id = begin(service)
    answers = Counter(replies(service, [wrong_code(service.code(PHONE), n) for n in range(1, 201)]))
    status = service.status(id)
    assert (status["output"], status["customStatus"]["attemptsUsed"]) == (False, 4)
    lines = Counter(event for (event,) in service.rows("SELECT event FROM history"))
    assert (lines["wrong_answer"], lines["max_attempts_reached"]) == (4, 1)
    silent = answers['<?xml version="1.0" encoding="UTF-8"?><Response />']
    assert 200 - silent <= 6


def test_200_right_replies_at_once_are_one_approval(service: Service) -> None:
    service.start()
    id = begin(service)
    answers = replies(service, [service.code(PHONE)] * 200)
    assert service.status(id)["output"] is True
    assert len([answer for answer in answers if "Thank you" in answer]) == 1
    lines = Counter(event for (event,) in service.rows("SELECT event FROM history"))
    assert (lines["approved"], lines["right_answer"]) == (1, 1)


def test_50_copies_of_one_message_at_once_are_one_attempt_and_one_answer(
    service: Service,
) -> None:
    service.start()
    id = begin(service)
    answers = replies(service, [wrong_code(service.code(PHONE))] * 50, sid=new_sid("SM"))
    assert len(set(answers)) == 1
    assert "Tries left: 3" in answers[0]
    assert service.status(id)["customStatus"]["attemptsUsed"] == 1


@pytest.mark.timed
def test_silence_is_false_within_a_second_of_the_deadline(tmp_path: Path) -> None:
    service = Service(tmp_path, WINDOW_SECONDS="2")
    try:
        service.start()
        id = begin(service)
        until(lambda: service.status(id)["runtimeStatus"] == "Completed")
        noticed = time.time()
        assert service.status(id)["output"] is False
        ((deadline,),) = service.rows("SELECT strftime('%s', deadline_at) FROM verification")
        assert noticed - int(deadline) < 2.1  # strftime cuts off up to a second
    finally:
        service.close()


def test_no_code_anywhere_and_no_number_or_key_in_a_log(tmp_path: Path) -> None:
    service = Service(tmp_path, CODE_LENGTH="10")
    try:
        process = service.start()
        phones = [f"+1425555{number:04}" for number in range(200, 230)]
        ids = {phone: service.begin(phone) for phone in phones}
        for phone in phones:
            until(lambda phone=phone: service.texts(phone))
        codes = [service.code(phone) for phone in phones]
        assert {len(code) for code in codes} == {10}
        receive = service.simulator.webhooks.receive
        for place, (phone, code) in enumerate(zip(phones, codes, strict=True)):
            receive(phone, [code, "hello", f"Loved \u201c{code}\u201d", "STOP"][place % 4])
            receive(phone, code)
        provoke_logs(service, ids[phones[1]], codes[1])
        assert service.terminate(process) == 0
        log = service.log.read_text()
        stored = bytes_in(tmp_path)
        assert "the text is accepted" in log
        assert "\nFORGED" not in log
        assert PHONES_IN_PATHS.strip("+") not in log
        assert phones[0].encode() in stored, "the search would find what is there"
        for code in codes:
            assert code not in log
            assert code.encode() not in stored
        for phone in phones:
            assert phone not in log
            assert phone.strip("+") not in log
        secrets = (FUNCTION_KEY, SYSTEM_KEY, ACCOUNT.auth_token, "a-secret-key-for-tests")
        for secret in secrets:
            assert secret not in log
            assert secret.encode() not in stored
    finally:
        service.close()


def test_chunked_bodies_too_long_or_broken_are_4xx(service: Service) -> None:
    import socket

    sid = f"VA{'0' * 32}"
    service.start(VERIFY_SERVICE_SID=sid)
    headers = {"x-functions-key": FUNCTION_KEY}
    chunks = (b" " * 10_000 for _ in range(10))
    long = service.http.post(service.url + START, data=chunks, headers=headers, timeout=10)
    assert long.status_code == 413
    cut = b"To=%2B14255550142&Channel=sms&DeviceIp=".ljust(65_536, b"1") + b"&CustomCode=1234"
    form = service.http.post(
        f"{service.url}/v2/Services/{sid}/Verifications",
        data=iter([cut]),
        auth=(sid, FUNCTION_KEY),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        timeout=10,
    )
    assert form.status_code == 413
    assert service.rows("SELECT id FROM verification") == []
    for path in (START, "/twilio/sms"):
        request = f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        request += "Content-Type: application/x-www-form-urlencoded\r\n"
        request += f"X-Twilio-Signature: x\r\nx-functions-key: {FUNCTION_KEY}\r\n\r\nZZ\r\n"
        with socket.create_connection(("127.0.0.1", service.port), timeout=5) as raw:
            raw.sendall(request.encode())
            assert raw.recv(4096).startswith(b"HTTP/1.1 4")


def provoke_logs(service: Service, id: str, code: str) -> None:
    """Requests of the kind that frameworks like to quote in their logs."""
    import socket

    base = service.url + INSTANCES
    service.http.get(f"{base}/{id}?code={SYSTEM_KEY}")
    service.http.post(f"{service.url}{START}?code={FUNCTION_KEY}", data=b"not json")
    service.http.post(
        f"{base}/{id}/raiseEvent/SmsChallengeResponse?code={SYSTEM_KEY}", json={"code": code}
    )
    service.http.post(f"{service.url}/twilio/sms", data={"Body": code, "From": PHONE})
    service.http.post(f"{service.url}/orchestrators/{PHONES_IN_PATHS}")
    service.http.post(f"{service.url}/twilio/status/a%0aFORGED+{PHONES_IN_PATHS}")
    for broken in (
        f"GET /?code={SYSTEM_KEY} HTTP/9.9\r\n\r\n",
        f"GET /?code={SYSTEM_KEY} is broken HTTP/1.1\r\n\r\n",
        f"GET /{'x' * 9000}?code={SYSTEM_KEY} HTTP/1.1\r\n\r\n",
        f"POST /?code={SYSTEM_KEY} HTTP/1.1\r\nContent-Length: nonsense\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", service.port), timeout=5) as raw:
            raw.sendall(broken.encode())
            answer = raw.recv(4096)
            assert answer.startswith(b"HTTP/1.1 4"), answer
            assert b"<html" not in answer


def test_web_processes_are_as_many_as_are_wanted(any_service: Service) -> None:
    any_service.is_warm = False  # a whole start, with its imports in their own order
    process = any_service.start(WEB_CONCURRENCY="2")
    with clients_of_each(any_service, process, 1) as ((one,), (other,)):
        id = any_service.begin(PHONE, one)
        assert "Thank you" in reply(other, any_service, PHONE, any_service.code(PHONE))
        assert any_service.status(id, one)["output"] is True
    assert len(any_service.texts(PHONE)) == 1, "each has a dispatcher, and one of them sent it"
    assert any_service.terminate(process) == 0
