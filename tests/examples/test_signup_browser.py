"""Two people sign up in a browser, a text does not come, and time passes on the page."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from examples.signup.app import create_app
from simulator import faults
from tests.browser.conftest import Visit
from tests.examples.conftest import OTHER, Example, example, rows
from tests.harness import PHONE
from tests.processes.service import Service, until


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


def sign_up(page: Page, name: str, number: str, *, told: str = "Reply with its code") -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Mobile number").fill(number)
    page.get_by_role("button", name="Text me a code").click()
    expect(page.locator("#status")).to_contain_text(told)


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


def both_sign_up(texting: Visit, entering: Visit) -> None:
    for made, name, number in (
        (texting, "Ada", "(425) 555-0123"),
        (entering, "Bo", "425.555.0124"),
    ):
        made.open()
        if made is texting:  # the other's pages are the same
            assert_well_made(made)
        sign_up(made.page, name, number)
    assert_well_made(texting)


def enter_a_wrong_and_the_right_code(page: Page, code: str) -> None:
    page.get_by_text("Enter the code here instead").click()
    field = page.get_by_label("Code in the text")
    field.fill("not yet")
    field.press("Enter")
    expect(page.locator("#code-error")).to_have_text("That is not the code in the text.")
    expect(field).to_be_focused()
    field.fill(code)
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_role("heading", name="Your number is verified")).to_be_focused()


def test_two_people_at_once(
    running: tuple[Example, Service], visit: Callable[..., Visit], tmp_path: Path
) -> None:
    """One texts the code back, the other enters it; both are verified by a webhook."""
    example, service = running
    texting, entering = visit(example.url), visit(example.url)
    both_sign_up(texting, entering)

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

    enter_a_wrong_and_the_right_code(entering.page, code_of(service, OTHER))
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


def test_a_fault_on_our_side_is_told_without_its_details(
    running: tuple[Example, Service], visit: Callable[..., Visit]
) -> None:
    example, service = running
    service.simulator.faults.add(faults.REFUSE, phone=PHONE, code=20003, times=50)
    page = visit(example.url).open()
    sign_up(page, "Ada", "(425) 555-0123", told="Your text is taking longer than usual.")
    expect(page.locator("#error")).to_be_hidden()


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
    expect(page.get_by_role("alert")).to_contain_text("is on its way")
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
