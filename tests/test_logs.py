"""One line of JSON each, tied together by request ids."""

import ast
import json
import logging
import re
from pathlib import Path

import pytest

from bot.http.paths import of_environ
from bot.observability import logs, redaction
from bot.observability.logs import JsonLines, TextLines, request_id
from simulator import faults
from tests.architecture import FILES
from tests.harness import FUNCTION_KEY, PHONE, START, Harness
from tests.processes.service import Service, until


def begin_and_end(service: Service) -> str:
    """A verification from its start to the report of its text; the id of the start is ours."""
    response = service.http.post(
        f"{service.url}{START}?code={FUNCTION_KEY}",
        json=PHONE,
        headers={"X-Request-ID": "order-4711-a"},
    )
    assert response.headers["X-Request-ID"] == "order-4711-a"
    (text,) = until(lambda: service.texts(PHONE))
    code = re.search(r"code is ([0-9]+)", text)
    assert code
    service.simulator.webhooks.receive(PHONE, code[1])
    until(lambda: service.status(response.json()["id"])["runtimeStatus"] == "Completed")
    until(lambda: '"delivery"' in service.log.read_text())
    return response.json()["id"]


def check_replacement(lines: list[dict], replaced: list[str]) -> None:
    """The second start changed two: each is in one line, and both are in the same request."""
    first, second = (
        [line for line in lines if line.get("verification") == id and "events" in line]
        for id in replaced
    )
    (canceled,) = [line for line in first if line["events"] == "canceled"]
    (begun,) = [line for line in second if line["events"] == "started"]
    assert canceled["request"] == begun["request"]
    assert len([line for line in (canceled, begun) if line.get("path") == START]) == 1


def test_one_id_finds_start_send_reply_and_end(tmp_path: Path) -> None:
    service = Service(tmp_path)
    try:
        process = service.start()
        service.simulator.faults.add(faults.DELAY, seconds=0.2)
        verification = begin_and_end(service)
        replaced = [service.begin("+14255550124") for _ in range(2)]
        assert service.terminate(process) == 0
        lines = [json.loads(line) for line in service.log.read_text().splitlines()]
    finally:
        service.close()
    tied = [line for line in lines if line.get("origin") == "order-4711-a"]
    assert {line["verification"] for line in tied} == {verification}
    messages = [line["message"] for line in tied]
    assert "text_accepted" not in messages, "the line of the send tells it"
    (started,) = [line for line in tied if line.get("events") == "started"]
    (came_in,) = [line for line in tied if line.get("path") == "/twilio/sms"]
    assert (came_in["events"], came_in["status"]) == ("right_answer approved", 200)
    assert came_in["request"] != "order-4711-a"
    assert came_in["sid"].startswith("SM")
    (sent,) = [line for line in tied if line["message"] == "the text is accepted"]
    assert sent["events"] == "text_accepted"
    assert sent["milliseconds"] > 200, "of the send, not of its commit alone"
    reports = {line["sid"]: line for line in lines if "delivery" in line}
    assert reports[sent["sid"]]["text"] == sent["text"]
    assert reports[sent["sid"]] in tied
    assert (started["path"], started["request"]) == (START, "order-4711-a")
    assert (started["status"], started["milliseconds"] > 0) == (202, True)
    check_replacement(lines, replaced)


def test_an_id_that_could_be_a_number_or_forge_a_line_is_not_taken(harness: Harness) -> None:
    for sent in (
        PHONE,
        "4255550123",
        "tel-14255550123",
        "short",
        "x" * 65,
        "ein zwei drei",
        "ümläute-é",
    ):
        response = harness.call("GET", "/healthz", headers={"X-Request-ID": sent.encode()})
        assert re.fullmatch(r"[0-9a-f]{16}", response.headers["X-Request-ID"]), sent


def record(message: str, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("bot.x", logging.INFO, "x.py", 1, message, (), None)
    made.__dict__.update(extra)
    return made


def test_a_line_stays_one_line_whatever_it_holds() -> None:
    line = JsonLines().format(record('a "quote"\nand a line', verification="<id>\n", stray="no"))
    assert "\n" not in line
    told = json.loads(line)
    assert (told["message"], told["verification"]) == ('a "quote"\nand a line', "<id>\\n")
    assert "stray" not in told


def test_a_text_line_has_the_same_fields() -> None:
    line = TextLines().format(record("approved", verification="v1", request="r1"))
    assert line.endswith("INFO bot.x: approved  request=r1 verification=v1")


def test_a_number_is_masked_however_it_is_spelled_and_a_drawn_id_is_not() -> None:
    for path in (
        "/x/user14255550123",
        "/x/1-425-555-0123",
        "/x/+1 (425) 555 0123",
        "+14255550199",
        "/x/1,425,555,0123",
        "/x/+1 (425)  --  555  --  0123",
        "/x/1_425_555_0123",
        "/x/+1\u00a0425\u202f555\u20130123".encode().decode("latin-1"),
        "/x/１４２５５５５０１２３".encode().decode("latin-1"),
        "/x/\u202d+1425\u200b555\u20600123".encode().decode("latin-1"),
    ):
        assert "5550" not in of_environ(path)
        assert "555" not in of_environ(path)
    drawn = "01a20957881125557c89a1e993f63912"
    assert of_environ(f"/runtime/{drawn}") == f"/runtime/{drawn}"
    sid = "VE1234567890abcdef1234567890abcdef"
    assert of_environ(f"/v2/{sid}/+14255550123") == f"/v2/{sid}/*****"
    line = json.loads(JsonLines().format(record("approved", verification="u+14255550199")))
    assert line["verification"] == "u*****"


PATHS = [
    ("/instances/a&code=a-key-1", "/instances/a&code=*****"),
    ("/instances/a?CODE=a-key-1&x=2", "/instances/a?CODE=*****&x=2"),
    ("/instances/a%3Fcode%3Da-key-1/restart", "/instances/a%3Fcode%3D*****"),
    ("/instances/a&code=Zm9v/YmFyQWE3+xQ9kd0s=", "/instances/a&code=*****"),
    ("/instances/zipcode=abcde/restart", "/instances/zipcode=abcde/restart"),
    ("/instances/a%253Fcode%253da-key-1", "/instances/a%253Fcode%253d*****"),
    ("/orchestrators/E4&code=a-key-1", "/orchestrators/E4&code=*****"),
    ("/v2/Services/VA1/Verifications/0109", "/v2/Services/VA1/Verifications/*****"),
    ("/v2/Services/VA1/VerificationCheck/010926/", "/v2/Services/VA1/VerificationCheck/*****/"),
    ("/v2/Services/VA1/verifications//123-456", "/v2/Services/VA1/verifications//*****"),
    (
        f"/v2/Services/VA1/Verifications/VE{'0' * 32}",
        f"/v2/Services/VA1/Verifications/VE{'0' * 32}",
    ),
]


def test_a_key_or_a_code_in_a_path_is_not_shown(harness: Harness) -> None:
    """Each face of the application has named the words after which a code may stand."""
    for path, shown in PATHS:
        assert of_environ(path) == shown


@pytest.mark.parametrize("form", [JsonLines, TextLines])
@pytest.mark.parametrize(
    "secret", ["aB3dE5gH7jK9mN1pQ3sT5vW7", 'quoted"\\secret', "a-secret", "a-secret-b"]
)
def test_a_secret_is_in_no_line_wherever_it_came_from(
    monkeypatch: pytest.MonkeyPatch, form: type[logging.Formatter], secret: str
) -> None:
    monkeypatch.setattr(redaction, "hidden", [])
    redaction.hide(["a-secret", secret, "trial"])
    fields = {"msg": f"GET /{secret}/x", "path": f"/{secret}", "request": secret}
    record = logging.makeLogRecord(fields)
    line = form().format(record)
    assert secret not in line
    assert line.count("*****") == 3
    assert "trial" in form().format(logging.makeLogRecord({"msg": "a trial"}))


def test_a_secret_of_digits_is_masked_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of it could look like a number, and the rest would stay."""
    monkeypatch.setattr(redaction, "hidden", [])
    secret = "724a4b87a57fd14255550123fe90c14133cde3acda66acab4b6f857f00c42555"
    redaction.hide([secret])
    assert of_environ(f"/instances/{secret}") == "/instances/*****"
    assert request_id(secret) != secret
    line = logging.makeLogRecord({"msg": "started", "verification": secret})
    assert '"verification": "*****"' in JsonLines().format(line)


@pytest.mark.parametrize("id", ["order-4711-a", "8f14e45f-ceea-467f-a8d4-123456789012"])
def test_an_id_of_a_caller_is_taken(id: str) -> None:
    assert request_id(id) == id


def test_no_field_that_is_logged_is_dropped() -> None:
    """`extra` takes any name, and a formatter shows those of FIELDS alone."""
    named: dict[str, str] = {}
    for path in FILES:
        tree = ast.parse(path.read_text())
        given = [k.value for k in ast.walk(tree) if isinstance(k, ast.keyword) and k.arg == "extra"]
        makers = {
            value.func.id
            for value in given
            if isinstance(value, ast.Call) and isinstance(value.func, ast.Name)
        }
        made = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef) and node.name in makers
        ]
        dicts = [d for node in [*given, *made] for d in ast.walk(node) if isinstance(d, ast.Dict)]
        named |= {
            key.value: path.name for d in dicts for key in d.keys if isinstance(key, ast.Constant)
        }
    assert {"text", "event", "verification", "path"} <= named.keys()
    assert {name: file for name, file in named.items() if name not in logs.FIELDS} == {}
