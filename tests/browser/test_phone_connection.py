"""The phone page tells that the simulator or Textback is gone, and goes on when it is back."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.phones import add, phone, unavailable
from tests.harness import ACCOUNT, NUMBER, Harness
from tests.ports import free_port
from tests.processes.service import Service

ROOT = Path(__file__).parents[2]
SINCE = r"Not connected since \d\d:\d\d:\d\d\. "
SIMULATOR = """
import sys
from simulator.server import Simulator
from simulator.world import Account, Number

Simulator(Account({sid!r}, "token"), Number({number!r}), port=int(sys.argv[1])).start()
print("ready", flush=True)
"""


@pytest.fixture
def begin() -> Iterator[Callable[[int], "subprocess.Popen[str]"]]:
    """A simulator as a process of its own, on a port."""
    begun: list[subprocess.Popen[str]] = []

    def make(port: int) -> "subprocess.Popen[str]":
        script = SIMULATOR.format(sid=ACCOUNT.sid, number=NUMBER)
        command = [sys.executable, "-c", script, str(port)]
        begun.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True))
        assert begun[-1].stdout
        assert begun[-1].stdout.readline() == "ready\n"
        return begun[-1]

    yield make
    for process in begun:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


def forgive(visit: Visit, complaint: str) -> None:
    """Drops errors that the browser reports because the test took a server away."""
    visit.complaints[:] = [one for one in visit.complaints if complaint not in one]


def test_a_simulator_that_is_gone_is_told_and_found_again(
    begin: Callable[[int], "subprocess.Popen[str]"], visit: Callable[..., Visit]
) -> None:
    port = free_port()
    process = begin(port)
    made = visit(f"http://127.0.0.1:{port}")
    page = made.open()
    mine, notice = phone(page), page.locator("#connection")
    mine.get_by_role("button", name="HELP").click()
    expect(mine.locator(".messages li")).to_have_count(2)
    expect(notice).to_be_empty()
    process.kill()
    process.wait()
    expect(notice).to_have_text(re.compile(SINCE + r"The simulator does not answer\."))
    expect(notice).to_have_attribute("role", "status")
    since = notice.inner_text()
    assert page.evaluate("getComputedStyle(document.querySelector('.phones')).filter") != "none"
    assert made.faults() == []

    # The phone reports a failed attempt, and keeps the typed text.
    mine.get_by_label("Reply").fill("are you there?")
    mine.get_by_role("button", name="Send").click()
    expect(mine.get_by_role("alert")).to_have_text("The simulator does not answer.")
    expect(mine.get_by_label("Reply")).to_have_value("are you there?")
    add(page)
    expect(page.locator("#said")).to_have_text("The simulator does not answer.")
    assert notice.inner_text() == since, "its beginning stays"

    begin(port)
    expect(notice).to_be_empty()
    expect(page.locator("#news")).to_have_text("Connected again.")
    assert page.evaluate("getComputedStyle(document.querySelector('.phones')).filter") == "none"
    expect(mine.locator(".messages li")).to_have_count(0)  # it begins anew
    mine.get_by_role("button", name="Send").click()
    expect(mine.locator(".messages li")).to_have_text(["are you there?"])
    forgive(made, "ERR_CONNECTION_REFUSED")
    forgive(made, "ERR_CONNECTION_RESET")
    forgive(made, "ERR_EMPTY_RESPONSE")
    forgive(made, "ERR_SOCKET_NOT_CONNECTED")


def test_a_simulator_that_hangs_or_answers_500_is_told_too(
    harness: Harness, visit: Callable[..., Visit]
) -> None:
    made = visit(harness.simulator.url, timezone_id="UTC")
    page = made.page
    page.clock.install(time="2026-01-31T04:46:12Z")
    made.open()
    notice = page.locator("#connection")
    expect(phone(page)).to_be_visible()
    page.route("**/simulator/phones", lambda route: route.fulfill(status=502))
    expect(notice).to_have_text(re.compile(SINCE + r"The simulator answers 502\."))
    page.unroute_all()
    expect(notice).to_be_empty()

    page.route("**/simulator/phones", lambda route: None)  # it is never answered
    with page.expect_request("**/simulator/phones"):
        pass
    page.clock.fast_forward(5_000)
    expect(notice).to_have_text(
        re.compile(r"Not connected since 04:4\d:\d\d\. .* not answer within 5 seconds\.")
    )
    page.unroute_all(behavior="ignoreErrors")
    page.clock.fast_forward(5_000)
    expect(notice).to_be_empty()
    forgive(made, "502")


def test_where_textback_is_gone_statuses_and_countdowns_stand_still(
    harness: Harness, visit: Callable[..., Visit]
) -> None:
    made = visit(harness.simulator.url, timezone_id="UTC")
    page = made.open()
    mine, notice = phone(page), page.locator("#connection")
    harness.start_and_send()
    countdown = mine.locator(".countdown")
    expect(countdown).to_have_text("90 s left")
    textback, harness.app = harness.app, unavailable  # type: ignore[assignment]
    try:
        expect(notice).to_have_text(
            "Not connected since 12:00:00. Textback answers 503. Statuses are as of then. The page"
            " goes on by itself."
        )
        ink = "getComputedStyle(document.querySelector('.standing')).color"
        grey = "getComputedStyle(document.querySelector('label')).color"
        assert page.evaluate(ink) == page.evaluate(grey)
        harness.clock.forward(20)
        # A start says why it fails, and the phone goes on texting.
        mine.get_by_role("button", name="Verify this phone").click()
        expect(mine.get_by_role("alert")).to_have_text("Textback answered 503.")
        mine.get_by_role("button", name="HELP").click()
        expect(mine.locator(".messages")).to_contain_text("Reply STOP to unsubscribe")
        expect(countdown).to_have_text("90 s left")
        assert made.faults() == []
    finally:
        harness.app = textback
    expect(notice).to_be_empty()
    expect(countdown).to_have_text("70 s left")


def test_a_textback_that_was_killed_is_told_and_found_again(
    tmp_path: Path, visit: Callable[..., Visit]
) -> None:
    service = Service(tmp_path)
    try:
        process = service.start()
        made = visit(service.simulator.url)
        page = made.open()
        notice = page.locator("#connection")
        service.begin("+1 425 555 0123")
        expect(phone(page).locator(".standing")).to_contain_text("tries left")
        service.kill(process)
        expect(notice).to_have_text(re.compile(SINCE + r"Textback does not answer\."))
        phone(page).get_by_role("button", name="Verify this phone").click()
        expect(phone(page).get_by_role("alert")).to_have_text(
            "Textback does not answer. Nothing was started."
        )
        service.start()
        expect(notice).to_be_empty()
        phone(page).get_by_role("button", name="Right code").click()
        expect(phone(page).locator(".standing")).to_contain_text("approved")
        page.close()
    finally:
        service.close()
