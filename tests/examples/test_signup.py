"""The example application: two people sign up in a browser; forged, repeated, refused requests."""

import io
import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect
from standardwebhooks import Webhook

from bot.domain.errors import Refusal
from bot.faces.durable import errors as durable_errors  # noqa: F401
from bot.http import errors as http_errors
from examples.signup import sentences, textback
from examples.signup.app import create_app
from simulator import faults
from tests.browser.conftest import Visit
from tests.examples.conftest import Example, example
from tests.harness import PHONE, WEBHOOK_SECRET, Harness
from tests.harness import harness as open_harness
from tests.processes.service import Service, until

OTHER = "+14255550124"
STRANGER = "whsec_" + "c3RyYW5nZXI" * 4


def rows(folder: Path, sql: str) -> list[Any]:
    db = sqlite3.connect(folder / "signup.db")
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


# -- in a browser ----------------------------------------------------------------------------------


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[Example, Service]]:
    """gunicorn and dispatcher as `make run` has them, the example as `make signup` has it."""
    with example() as made:
        # Five minutes to answer: a busy machine needs more than ninety seconds to look at pages.
        service = Service(tmp_path, **made.settings, WINDOW_SECONDS="300")
        try:
            service.start()
            made.app = create_app(made.environment(service.url, tmp_path))
            yield made, service
        finally:
            service.close()


def sign_up(page: Page, name: str, number: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Mobile number").fill(number)
    page.get_by_role("button", name="Text me a code").click()
    expect(page.locator("#status")).to_contain_text("Reply with its code")


def text_of(service: Service, phone: str) -> str:
    return str(until(lambda: service.texts(phone))[-1])


def code_of(service: Service, phone: str) -> str:
    found = re.search(r"code is (\d+)\.", text_of(service, phone))
    assert found
    return found[1]


def reply(service: Service, phone: str, body: str) -> None:
    url = f"{service.simulator.url}/simulator/texts"
    assert service.http.post(url, json={"phone": phone, "body": body}, timeout=20).ok


def assert_well_made(made: Visit) -> None:
    """Narrow and wide, light and dark, without accessibility faults."""
    for scheme in ("light", "dark"):
        made.page.emulate_media(color_scheme=scheme)
        assert Axe().run(made.page).response["violations"] == []
    for width in (320, 390, 1280):
        made.page.set_viewport_size({"width": width, "height": 844})
        assert made.is_within_its_width()


def test_two_people_at_once(
    running: tuple[Example, Service], visit: Callable[..., Visit], tmp_path: Path
) -> None:
    """One texts the code back, the other enters it; both are verified by a webhook."""
    example, service = running
    texting, entering = visit(example.url), visit(example.url)
    for made, name, number in (
        (texting, "Ada", "(425) 555-0123"),
        (entering, "Bo", "425.555.0124"),
    ):
        made.open()
        if made is texting:  # the other's pages are the same
            assert_well_made(made)
        sign_up(made.page, name, number)
    assert_well_made(texting)

    page = texting.page
    reference = page.locator(".bubble strong").inner_text()
    assert f"{reference}." in text_of(service, PHONE)
    expect(page.locator("#left")).to_have_text(re.compile(r"4:\d\d"))
    expect(page.locator("#tries")).to_have_text("4")
    reply(service, PHONE, str((int(code_of(service, PHONE)) + 1) % 10**4).zfill(4))
    expect(page.locator("#status")).to_have_text(
        "That was not the code in the text. Tries left: 3."
    )
    expect(page.locator("#tries")).to_have_text("3")

    other = entering.page
    other.get_by_text("Enter the code here instead").click()
    field = other.get_by_label("Code in the text")
    field.fill("not yet")
    field.press("Enter")
    expect(other.locator("#code-error")).to_have_text("That is not the code in the text.")
    expect(field).to_be_focused()
    field.fill(code_of(service, OTHER))
    other.get_by_role("button", name="Verify").click()
    expect(other.get_by_role("heading", name="Your number is verified")).to_be_focused()
    expect(page.locator("#pending")).to_be_visible()

    reply(service, PHONE, code_of(service, PHONE))
    expect(page.get_by_role("heading", name="Your number is verified")).to_be_focused()
    assert_well_made(texting)
    until(lambda: len(rows(tmp_path, "SELECT id FROM webhook")) == 2)
    joined = "SELECT number, status FROM account JOIN outcome USING (verification) ORDER BY number"
    assert rows(tmp_path, joined) == [(PHONE, "approved"), (OTHER, "approved")]
    for made in (texting, entering):
        made.page.get_by_role("link", name="Continue").click()
        expect(made.page.locator(".notice")).to_contain_text("is verified")
    assert_well_made(texting)


def test_a_text_that_did_not_come(
    running: tuple[Example, Service], visit: Callable[..., Visit], tmp_path: Path
) -> None:
    """The keyboard alone. Another number is entered, and the first one's verification ends."""
    example, service = running
    service.simulator.faults.add(faults.REPORT_ERROR, phone=PHONE, code=30003)
    made = visit(example.url)
    page = made.open()
    page.get_by_label("Name").fill("Ada")
    page.get_by_label("Mobile number").fill("(425) 555-0123")
    page.keyboard.press("Enter")
    expect(page.locator("#error")).to_contain_text("The phone is off or out of reach.")
    expect(page.locator("#trouble")).to_have_attribute("open", "")
    expect(page.get_by_role("button", name="Send it again")).to_be_disabled()
    assert_well_made(made)
    (first,) = rows(tmp_path, "SELECT verification FROM account")[0]
    page.get_by_role("link", name="Change the number").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Name")).to_have_value("Ada")
    sign_up(page, "Ada", "(425) 555-0124")
    assert service.status(first)["customStatus"]["cause"] == "terminated"
    reply(service, OTHER, "STOP")
    expect(page.get_by_role("heading", name="You have asked for no more texts")).to_be_focused()
    assert_well_made(made)
    assert rows(tmp_path, "SELECT 1 FROM outcome WHERE status = 'approved'") == []


def test_the_page_in_the_course_of_time(
    running: tuple[Example, Service], visit: Callable[..., Visit], tmp_path: Path
) -> None:
    """The text is not sent again too early or too late; an outage and its end are shown."""
    example, _ = running
    made = visit(example.url)
    made.page.clock.install()
    page = made.open()
    sign_up(page, "Ada", "(425) 555-0123")
    again = page.locator("#resend")
    page.get_by_text("The text did not come").click()
    expect(again).to_have_text(re.compile(r"Send it again \(in 1\d s\)"))
    expect(again).to_be_disabled()
    page.clock.fast_forward(16_000)
    expect(again).to_be_enabled()
    again.click()
    expect(page.get_by_role("alert")).to_contain_text("the same code again")
    page.get_by_text("The text did not come").click()
    expect(again).to_be_disabled()
    page.clock.fast_forward(275_000)  # counted from the page that came again
    expect(page.locator("#left")).to_have_text(re.compile(r"0:[012]\d"))
    expect(again).to_have_text("Send it again")
    expect(again).to_be_disabled()

    page.route("**/instances/**", lambda route: route.abort())
    for _ in range(3):
        with page.expect_event("requestfailed"):
            page.clock.run_for(12_000)  # its longest wait
    expect(page.locator("#status")).to_contain_text("We cannot reach the service")
    page.unroute_all()
    page.clock.run_for(12_000)
    expect(page.locator("#status")).to_contain_text("Reply with its code")
    assert all("ERR_FAILED" in complaint for complaint in made.complaints)
    made.complaints.clear()


# -- without a browser -----------------------------------------------------------------------------


@pytest.fixture
def told(tmp_path: Path) -> Iterator[tuple[Example, Harness]]:
    with example() as made, open_harness(tmp_path, **made.settings) as harness:
        made.app = create_app(made.environment(harness.url, tmp_path))
        yield made, harness


class Person:
    """A minimal browser, without JavaScript."""

    def __init__(self, example: Example) -> None:
        assert example.app is not None
        self.client: FlaskClient = example.app.test_client()

    def hidden(self, path: str = "/") -> dict[str, str]:
        page = self.client.get(path).text
        return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))

    def sign_up(self, number: str = "(425) 555-0123", **more: str) -> Any:
        form = {**self.hidden(), "name": "Ada", "country": "US", "number": number, **more}
        return self.client.post("/", data=form)

    def post(self, path: str, **form: str) -> Any:
        return self.client.post(path, data={**self.hidden("/verify"), **form})

    def verify_page(self) -> str:
        return self.client.get("/verify").text


@pytest.fixture
def person(told: tuple[Example, Harness]) -> Person:
    return Person(told[0])


@pytest.fixture
def person_alone(tmp_path: Path) -> Person:
    """A person at an example that has no Textback."""
    example = Example(1)
    example.app = create_app(example.environment("http://127.0.0.1:1", tmp_path))
    return Person(example)


def test_only_the_read_link_reaches_the_page(
    told: tuple[Example, Harness], person: Person, tmp_path: Path
) -> None:
    example, harness = told
    assert person.sign_up().status_code == 303
    page = person.verify_page().replace("&amp;", "&")
    columns = "status_link, event_link, terminate_link"
    ((status_link, *acting),) = rows(tmp_path, f"SELECT {columns} FROM account")
    assert f'"{status_link}&showInput=false"' in page
    for link in acting:
        key = link.rpartition("code=")[2]
        assert key not in page
        assert harness.http.post(link.replace(key, "")).status_code == 401
    assert example.settings["WEBHOOK_SECRET"] not in page
    headers = person.client.get("/verify").headers
    assert f"connect-src {harness.url};" in headers["Content-Security-Policy"]
    cookie = Person(example).client.get("/").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_a_start_tells_tag_and_language(told: tuple[Example, Harness], person: Person) -> None:
    _, harness = told
    person.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "de-AT, x-nonsense-!!;q=0.9, de;q=0.8"
    assert 'value="AT" selected' in person.client.get("/").text
    person.sign_up()
    (view,) = harness.newest(5)
    assert view.verification.locale == "de"
    assert len(view.verification.tag or "") == 32


def test_a_form_sent_twice_is_one_start(told: tuple[Example, Harness], person: Person) -> None:
    _, harness = told
    form = {**person.hidden(), "name": "Ada", "country": "US", "number": "4255550123"}
    for _ in range(2):
        assert person.client.post("/", data=form).status_code == 303
    assert len(harness.newest(5)) == 1


def signed(body: str, *, secret: str = WEBHOOK_SECRET, id: str = "msg_1", age: float = 0) -> Any:
    at = datetime.now(UTC) - timedelta(seconds=age)
    return {
        "webhook-id": id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(id, at, body),
    }


def event(tmp_path: Path, status: str = "approved") -> str:
    ((account, verification),) = rows(tmp_path, "SELECT id, verification FROM account")
    data = {"id": verification, "tag": account, "status": status}
    return json.dumps({"type": f"verification.{status}", "data": data})


def test_forged_webhooks_verify_nobody(
    told: tuple[Example, Harness], person: Person, tmp_path: Path
) -> None:
    example, _ = told
    person.sign_up()
    body = event(tmp_path)
    right = signed(body)
    for headers, sent in [
        ({}, body),
        (signed(body, secret=STRANGER), body),
        (signed(body, age=301), body),
        (signed(body, age=-400), body),
        ({**right, "webhook-id": "msg_2"}, body),
        ({**right, "webhook-signature": "mangled"}, body),
        ({**right, "webhook-signature": right["webhook-signature"].replace("v1,", "v2,")}, body),
        (right, body + " "),  # the bytes count, not what they mean
        (right, b"\xff"),
    ]:
        answer = requests.post(f"{example.url}/webhooks", data=sent, headers=headers, timeout=5)
        assert answer.status_code == 401
    assert rows(tmp_path, "SELECT * FROM webhook") == rows(tmp_path, "SELECT * FROM outcome") == []
    assert person.client.get("/welcome").status_code == 302


def test_a_repeated_webhook_counts_once(
    told: tuple[Example, Harness], person: Person, tmp_path: Path
) -> None:
    example, _ = told
    person.sign_up()
    body = event(tmp_path)
    for _ in range(3):
        answer = requests.post(
            f"{example.url}/webhooks", data=body, headers=signed(body), timeout=5
        )
        assert answer.status_code == 204
    late = event(tmp_path, "expired")  # Textback sends one outcome; the first stays
    requests.post(f"{example.url}/webhooks", data=late, headers=signed(late, id="2"), timeout=5)
    assert rows(tmp_path, "SELECT id FROM webhook") == [("msg_1",), ("2",)]
    assert rows(tmp_path, "SELECT status FROM outcome") == [("approved",)]
    assert person.client.get("/welcome").status_code == 200


def test_events_of_others_and_tests_are_taken_and_change_nothing(
    told: tuple[Example, Harness], person: Person, tmp_path: Path
) -> None:
    example, _ = told
    person.sign_up()
    other = {"id": "another", "tag": None, "status": "approved"}
    for body in (
        json.dumps({"type": "verification.approved", "data": other}),
        json.dumps({"type": "webhook.test", "data": {"sentBy": "console"}}),
    ):
        headers = signed(body)
        answer = requests.post(f"{example.url}/webhooks", data=body, headers=headers, timeout=5)
        assert answer.status_code == 204
    assert rows(tmp_path, "SELECT * FROM outcome") == []


def test_a_late_webhook_holds_nobody_up(told: tuple[Example, Harness], person: Person) -> None:
    """The dispatcher, which sends it, does not run here."""
    _, harness = told
    person.sign_up()
    harness.run_once()
    assert person.client.get("/welcome").location == "/verify"
    assert person.post("/verify/code", code=harness.code()).status_code == 303
    assert "is verified" in person.client.get("/welcome").text


def test_a_webhook_may_come_before_the_start_is_kept(
    told: tuple[Example, Harness], person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, harness = told
    request = requests.request

    def slowly(*sent: Any, **more: Any) -> requests.Response:
        monkeypatch.setattr(requests, "request", request)
        answer = request(*sent, **more)
        harness.run_once()
        harness.text(harness.code())
        harness.run_once()
        return answer

    monkeypatch.setattr(requests, "request", slowly)
    person.sign_up()
    assert len(rows(tmp_path, "SELECT * FROM webhook")) == 1
    assert "is verified" in person.client.get("/welcome").text


@pytest.mark.parametrize(
    ("number", "country", "sentence"),
    [
        ("12", "US", sentences.REFUSALS["invalid_number"]),
        ("(800) 555-1212", "US", sentences.REFUSALS["cannot_receive_texts"]),
        ("(425) 555-0100", "US", sentences.REFUSALS["cannot_receive_texts"]),
        ("0171 555 01 23", "DE", sentences.REFUSALS["country_not_allowed"]),
    ],
)
def test_numbers_that_are_refused(
    told: tuple[Example, Harness], person: Person, number: str, country: str, sentence: str
) -> None:
    told[1].restart(ALLOWED_COUNTRIES="US")
    answer = person.sign_up(number, country=country)
    assert answer.status_code == 400
    assert f'id="number-error">{sentence}<' in answer.text
    assert f'value="{number}"' in answer.text, "nothing is typed twice"
    assert f'value="{country}" selected' in answer.text


def test_limits_and_opt_outs_are_told(told: tuple[Example, Harness], person: Person) -> None:
    _, harness = told
    harness.restart(LIMIT_PER_NUMBER="1/10 minutes")
    assert person.sign_up().status_code == 303
    assert re.search(r"Try again in (9|10) minutes\.", person.sign_up().text)
    harness.text("STOP", OTHER)
    assert sentences.REFUSALS["opted_out"] in person.sign_up("(425) 555-0124").text


def codes(error: type[Refusal]) -> list[str]:
    return [error.code, *(code for sub in error.__subclasses__() for code in codes(sub))]


EVERY_CODE = sorted(
    {*codes(Refusal), "body_too_large", "store_unavailable", "internal", *sentences.REFUSALS}
)


@pytest.mark.parametrize("code", EVERY_CODE)
def test_every_refusal_has_a_sentence(
    person_alone: Person, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise textback.Refused(code, 240)

    monkeypatch.setattr(textback.Textback, "start", refuse)
    answer = person_alone.sign_up()
    assert answer.status_code in (400, 503)
    sentence = sentences.refusal(code, 240)
    assert sentence in answer.text
    assert "{" not in sentence
    assert code not in sentence.split()


def test_what_only_waiting_helps_against_has_its_own_sentence() -> None:
    waiting = {error.code for error, status in http_errors.STATUSES.items() if status in (429, 503)}
    waiting -= {"sends_used"}  # final for its verification
    assert waiting <= sentences.REFUSALS.keys()
    assert all("{wait}" in sentences.REFUSALS[code] for code in waiting)


class Answers:
    """Gives these answers in place of Textback, one after another."""

    def __init__(self, *answers: tuple[int, dict[str, str], Any] | None) -> None:
        self.left = list(answers)
        self.headers: list[dict[str, str]] = []

    def __call__(self, method: str, url: str, **more: Any) -> requests.Response:
        self.headers.append(more.get("headers", {}))
        answer = self.left.pop(0)
        if answer is None:
            raise requests.ConnectionError
        made = requests.Response()
        made.status_code, headers, body = answer
        made.headers.update(headers)
        made.raw = io.BytesIO(json.dumps(body).encode() if body else b"")
        return made


STARTED = (
    202,
    {},
    {
        "id": "1",
        "reference": "KP",
        "statusQueryGetUri": "read",
        "sendEventPostUri": "act/{eventName}",
        "terminatePostUri": "end",
    },
)


@pytest.mark.parametrize(
    "first", [None, (503, {"Retry-After": "0"}, {"code": "still_counting"})], ids=["lost", "early"]
)
def test_a_start_is_repeated_under_the_same_key(
    monkeypatch: pytest.MonkeyPatch, first: Any
) -> None:
    answers = Answers(first, STARTED)
    monkeypatch.setattr(requests, "request", answers)
    client = textback.Textback("http://textback.example", "key")
    made = client.start(PHONE, tag="1", locale=None, idempotency_key="once")
    assert made.reference == "KP"
    assert [headers["Idempotency-Key"] for headers in answers.headers] == ["once", "once"]


@pytest.mark.parametrize(
    ("answer", "code", "wait"),
    [
        ((410, {}, None), "already_finished", None),
        ((404, {}, None), "unknown_verification", None),
        ((409, {}, {"code": "too_late_to_resend"}), "too_late_to_resend", None),
        ((429, {"Retry-After": "40"}, {"code": "sends_used"}), "sends_used", 40),
        ((502, {}, None), "", None),
        (None, "unreachable", None),
    ],
)
def test_a_refused_resend(
    monkeypatch: pytest.MonkeyPatch, answer: Any, code: str, wait: int | None
) -> None:
    monkeypatch.setattr(requests, "request", Answers(answer))
    with pytest.raises(textback.Refused) as refused:
        textback.Textback("", "").send_again("act/{eventName}")
    assert (refused.value.code, refused.value.wait) == (code, wait)


def test_a_resend_and_a_new_start(told: tuple[Example, Harness], person: Person) -> None:
    _, harness = told
    person.sign_up()
    harness.run_once()
    person.post("/verify/resend")
    assert "the same code again" in person.verify_page()
    person.post("/verify/again")
    assert "a new code is on its way" in person.verify_page()
    assert len(harness.newest(5)) == 2


@pytest.mark.parametrize(
    "path", ["/", "/verify/code", "/verify/resend", "/verify/again", "/sign-out"]
)
def test_forms_of_other_sites_do_nothing(
    told: tuple[Example, Harness], person: Person, path: str
) -> None:
    person.sign_up()
    for form in ({}, {"csrf": ""}, {"csrf": "ü"}):
        assert person.client.post(path, data=form).status_code == 403
    assert len(told[1].newest(5)) == 1


def test_every_outcome_has_a_part_of_the_page(person: Person) -> None:
    person.sign_up()
    page = person.verify_page()
    for status in ("approved", "expired", "max_attempts_reached", "canceled", "failed"):
        assert f'data-status="{status}" data-cause=""' in page
