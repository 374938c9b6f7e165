"""The phone page: several phones, their replies and statuses, and what the page shows when the
simulator or Textback is gone."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.harness import ACCOUNT, NUMBER, PHONE, Harness
from tests.ports import free_port
from tests.processes.service import Service

ROOT = Path(__file__).parents[2]
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
TEN = [f"+142555502{place:02}" for place in range(10)]


def phone(page: Page, number: str = PHONE) -> Locator:
    return page.get_by_role("region", name=f"Phone {number}")


def add(page: Page, number: str = "") -> None:
    if number:
        page.get_by_label("Another phone").fill(number)
    page.get_by_role("button", name="Add phone").click()


def forgive(visit: Visit, complaint: str) -> None:
    """Drops errors that the browser reports because the test took a server away."""
    visit.complaints[:] = [one for one in visit.complaints if complaint not in one]


# -- several in a row ------------------------------------------------------------------------------


def test_phones_are_added_one_after_the_other(harness: Harness, phones: Visit) -> None:
    """Each, suggested or typed, comes into view with the focus; the field suggests the next."""
    page = phones.page
    field = page.get_by_label("Another phone")
    for number in ("+14255550124", "+14255550125", "+14255550126"):
        expect(field).to_have_value(number)
        add(page)
        expect(phone(page, number)).to_be_focused()
        expect(phone(page, number)).to_be_in_viewport(ratio=0.5)
    add(page, "+1 (425) 555-0128")
    expect(phone(page, "+14255550128")).to_be_focused()
    expect(field).to_have_value("+14255550127")
    add(page)
    expect(phone(page, "+14255550127")).to_be_focused()
    expect(field).to_have_value("+14255550129")
    more = page.get_by_role("button", name="One more phone: +14255550129")
    more.click()
    expect(phone(page, "+14255550129")).to_be_focused()
    expect(phone(page, "+14255550129")).to_be_in_viewport(ratio=0.5)


def test_a_number_that_is_being_typed_stays(harness: Harness, phones: Visit) -> None:
    field = phones.page.get_by_label("Another phone")
    field.fill("+3361234")
    harness.start_and_send("+14255550124")
    expect(phone(phones.page, "+14255550124")).to_be_visible()
    expect(field).to_have_value("+3361234")


def test_a_phone_that_is_here_is_shown_instead_of_added(harness: Harness, phones: Visit) -> None:
    page = phones.page
    for number in TEN:
        harness.simulator.world.add_phone(number)
    expect(phone(page, TEN[-1])).to_be_visible()
    for spelling in (PHONE, "+1 (425) 555-0123", "＋1 425 ５５５ 0123"):
        page.evaluate("document.activeElement.blur()")
        page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        add(page, spelling)
        expect(phone(page)).to_be_focused()
        expect(phone(page)).to_be_in_viewport(ratio=0.5)
        expect(phone(page).get_by_role("alert")).to_have_text("This phone was here already.")
        expect(page.get_by_role("region", name="Phone +")).to_have_count(11)


def test_a_line_with_two_spellings_is_one_phone(harness: Harness, phones: Visit) -> None:
    """The one that Textback texts."""
    page = phones.page
    add(page, "+52 1 55 1234 5678")
    mexican = phone(page, "+525512345678")
    expect(mexican).to_be_focused()
    mexican.get_by_role("button", name="Verify this phone").click()
    expect(mexican.locator(".standing")).to_contain_text("Reference")
    harness.run_once()
    mexican.get_by_role("button", name="Right code").click()
    expect(mexican.locator(".standing")).to_contain_text("approved")


NO_NUMBERS = {
    "abc": "must be in international form",
    "+1234": "7 to 15 digits|may hold digits",
    "+" + "1" * 200: "at most 100 characters",
    "4255550123": "must be in international form",
    NUMBER: "the number that Textback texts from",
}


def test_what_is_no_number_is_said_at_the_field(harness: Harness, phones: Visit) -> None:
    page = phones.page
    for place, (typed, said) in enumerate(NO_NUMBERS.items()):
        add(page, typed)
        expect(page.locator("#said")).to_have_text(re.compile(said))
        field = page.get_by_label("Another phone")
        expect(field).to_have_value(typed)
        expect(field).to_have_accessible_description(re.compile(said))
        good = f"+1425555019{place}"
        add(page, good)
        expect(phone(page, good)).to_be_focused()
        expect(page.locator("#said")).to_be_empty()


def overlapping(shown: Locator) -> list[str]:
    """Returns parts beside a phone that overlap the next part or overflow."""
    return shown.evaluate(
        """(shown) => [...shown.querySelectorAll('.beside > :not(.answers)')].filter((part) => {
            const next = part.nextElementSibling;
            const box = part.getBoundingClientRect();
            return box.height && (part.scrollHeight > part.offsetHeight + 1
                || next?.getBoundingClientRect().top < box.bottom - 1);
        }).map((part) => part.className || part.tagName)"""
    )


def test_ten_phones_stand_in_rows(harness: Harness, visit: Callable[..., Visit]) -> None:
    world = harness.simulator.world
    world.leave_phones(TEN)
    for width, in_a_row in ((1280, 2), (1800, 3), (390, 1)):
        made = visit(harness.simulator.url, viewport={"width": width, "height": 844})
        page = made.open()
        expect(phone(page, TEN[-1])).to_be_visible()
        harness.start_and_send(TEN[0])
        for _ in range(3):
            harness.text(harness.wrong(TEN[0]), TEN[0])
        expect(phone(page, TEN[0]).locator(".state")).to_contain_text("1 try left")
        assert overlapping(phone(page, TEN[0])) == []
        boxes = [phone(page, number).bounding_box() for number in TEN]
        assert all(boxes)
        tops = [round(box["y"]) for box in boxes if box]
        assert max(tops.count(top) for top in tops) >= in_a_row, width
        assert tops == sorted(tops)
        assert made.is_within_its_width()
        for box in boxes:
            assert box
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width


# -- what a phone can reply ------------------------------------------------------------------------


def test_each_quick_reply_says_what_it_sends(harness: Harness, phones: Visit) -> None:
    harness.start_and_send()
    old = harness.code()
    while harness.code() == old:  # one in ten thousand
        harness.start_and_send()
    code, mine = harness.code(), phone(phones.page)
    expect(mine.get_by_role("button", name="Old code")).to_be_enabled()
    wrong = code[:-1] + str((int(code[-1]) + 1) % 10)
    expected = {
        "Right code": code,
        "Code, spaced": " ".join(code),
        "Code in Arabic digits": code.translate(ARABIC),
        "Code in a sentence": f"My code is {code}, thank you.",
        "Wrong code": wrong,
        "Old code": old,
        "Tapback: Liked": f"Liked “{harness.texts()[-1].body}”",
        "NO": "NO",
        "HELP": "HELP",
        "STOP": "STOP",
        "START": "START",
    }
    group = mine.get_by_role("group", name="Quick replies")
    assert group.get_by_role("button").all_inner_texts() == list(expected)
    for name, text in expected.items():
        button = group.get_by_role("button", name=name, exact=True)
        expect(button).to_have_accessible_description(f"Sends: {text}")
    for name, text in expected.items():
        group.get_by_role("button", name=name, exact=True).click()
        expect(mine.locator(".messages .mine").last).to_have_text(text)


def test_stop_ends_texts_and_start_lets_them_come_again(harness: Harness, phones: Visit) -> None:
    mine = phone(phones.page)
    verify = mine.get_by_role("button", name="Verify this phone")
    mine.get_by_role("button", name="STOP").click()
    expect(mine.locator(".messages")).to_contain_text("unsubscribed")
    verify.click()
    expect(mine.get_by_role("alert")).to_contain_text("STOP")
    mine.get_by_role("button", name="START").click()
    expect(mine.locator(".messages")).to_contain_text("re-subscribed")
    verify.click()
    expect(mine.locator(".standing")).to_contain_text("Reference")
    expect(mine.get_by_role("alert")).to_be_empty()


def test_replies_that_need_a_text_wait_for_one(harness: Harness, phones: Visit) -> None:
    group = phone(phones.page).get_by_role("group", name="Quick replies")
    for name in ("Right code", "Code, spaced", "Wrong code", "Old code", "Tapback: Liked"):
        expect(group.get_by_role("button", name=name)).to_be_disabled()
    for name in ("NO", "HELP", "STOP", "START"):
        expect(group.get_by_role("button", name=name, exact=True)).to_be_enabled()
    harness.start_and_send()
    expect(group.get_by_role("button", name="Right code")).to_be_enabled()
    expect(group.get_by_role("button", name="Old code")).to_be_disabled()


@pytest.mark.parametrize("locale", ["ar", "he", "hi"])
def test_the_code_is_found_in_texts_of_other_scripts(
    harness: Harness, phones: Visit, locale: str
) -> None:
    id = harness.start_and_send(locale=locale)["id"]
    mine = phone(phones.page)
    text = mine.locator(".messages li").first
    expect(text).to_have_attribute("dir", "auto")
    if locale != "hi":
        expect(text).to_have_css("direction", "rtl")
    mine.get_by_role("button", name="Right code").click()
    expect(mine.locator(".standing")).to_contain_text("approved")
    assert harness.status(id)["output"] is True


def test_a_long_text_makes_nothing_wider(harness: Harness, visit: Callable[..., Visit]) -> None:
    made = visit(harness.simulator.url, viewport={"width": 390, "height": 844})
    page = made.open()
    mine = phone(page)
    text = "x" * 1500 + " שלום עולם"
    mine.get_by_label("Reply").fill(text)
    mine.get_by_role("button", name="Send").click()
    expect(mine.locator(".messages .mine")).to_have_text(text)
    harness.simulator.world.outbound(recipient=PHONE, body="y" * 1600)
    expect(mine.locator(".banner")).to_contain_text("yyy")
    assert made.is_within_its_width()
    box, screen = mine.locator(".banner").bounding_box(), mine.locator(".screen").bounding_box()
    assert box
    assert screen
    assert box["height"] < screen["height"] / 2
    assert made.faults() == []


# -- what it tells ---------------------------------------------------------------------------------


def test_a_verification_that_was_started_elsewhere_shows_on_its_phone(
    harness: Harness, phones: Visit
) -> None:
    mine = phone(phones.page)
    expect(mine.locator(".standing")).to_have_text("")
    reference = harness.start("+1 (425) 555-0123", tag="order-1")["reference"]
    state = mine.locator(".state")
    expect(state).to_have_text(f"Reference {reference}: waits to be sent")
    harness.run_once()
    expect(state).to_have_text(f"Reference {reference}: 4 tries left")
    expect(mine.locator(".countdown")).to_have_text("90 s left")
    harness.clock.forward(30)
    expect(mine.locator(".countdown")).to_have_text("60 s left")
    for _ in range(3):
        mine.get_by_role("button", name="Wrong code").click()
    expect(state).to_have_text(f"Reference {reference}: 1 try left")
    harness.forward(60)
    expect(state).to_have_text(f"expired, reference {reference}")
    expect(mine.locator(".countdown")).to_be_empty()


def test_why_a_start_was_refused_is_said_at_the_phone(harness: Harness, phones: Visit) -> None:
    mine = phone(phones.page)
    mine.get_by_label("Language").fill("no language")
    mine.get_by_role("button", name="Verify this phone").click()
    expect(mine.get_by_role("alert")).to_contain_text("locale")
    expect(mine.get_by_role("button", name="Verify this phone")).to_be_focused()
    harness.start_and_send()
    expect(mine.locator(".standing")).to_contain_text("tries left")
    expect(mine.get_by_role("alert")).to_be_empty()


# -- when one of the two is gone -------------------------------------------------------------------

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


SINCE = r"Not connected since \d\d:\d\d:\d\d\. "


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


def unavailable(environ, start_response):
    start_response("503 Service Unavailable", [("Content-Type", "application/json")])
    return [b"{}"]


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


# -- for everybody ---------------------------------------------------------------------------------


def test_axe_finds_nothing(harness: Harness, phones: Visit) -> None:
    """With a phone in each state, a message at one and at the field, and with Textback gone."""
    page = phones.page
    for number in TEN[:5]:
        harness.start_and_send(number, locale="ar" if number == TEN[0] else "en")
    harness.text(harness.code(TEN[1]), TEN[1])
    for _ in range(4):
        harness.text(harness.wrong(TEN[2]), TEN[2])
    harness.text("STOP", TEN[3])
    expect(phone(page, TEN[1]).locator(".standing")).to_contain_text("approved")
    expect(phone(page, TEN[2]).locator(".standing")).to_contain_text("out of tries")
    phone(page, TEN[3]).get_by_role("button", name="Verify this phone").click()
    expect(phone(page, TEN[3]).get_by_role("alert")).not_to_be_empty()
    add(page, "abc")
    expect(page.locator("#said")).not_to_be_empty()
    assert phones.faults_by_look() == []
    textback, harness.app = harness.app, unavailable  # type: ignore[assignment]
    try:
        expect(page.locator("#connection")).to_contain_text("Not connected since")
        assert phones.faults_by_look() == []
    finally:
        harness.app = textback


def test_every_button_can_be_reached_on_a_narrow_screen(
    harness: Harness, visit: Callable[..., Visit]
) -> None:
    """Each scrolls into view, and no other element covers its middle."""
    made = visit(harness.simulator.url, viewport={"width": 390, "height": 844})
    page = made.open()
    harness.start_and_send()
    harness.start_and_send()
    expect(phone(page).get_by_role("button", name="Right code")).to_be_enabled()
    phone(page).locator(".banner").evaluate("(banner) => { banner.hidden = true; }")
    for button in page.get_by_role("button").all():
        button.click(trial=True)
        box = button.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert box["height"] >= 24  # WCAG 2.2, 2.5.8


def test_all_of_it_can_be_done_with_the_keyboard_alone(
    told: Harness, visit: Callable[..., Visit]
) -> None:
    page = visit(told.simulator.url).open()
    press = page.keyboard.press

    def tab_to(text: str, key: str = "Tab") -> None:
        """Presses Tab until an element with this name has the focus, which must be visible."""
        for _ in range(80):
            press(key)
            said = page.evaluate(
                "(({ labels, innerText, ariaLabel }) =>"
                " [labels?.[0]?.innerText, innerText, ariaLabel].join('|'))(document.activeElement)"
            )
            if text in said.split("|") or any(part.startswith(text) for part in said.split("|")):
                outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
                assert outline != "none", f"nobody sees that {text} is focused"
                return
        raise AssertionError(f"no way to {text}")

    expect(phone(page)).to_be_visible()
    tab_to("Another phone")
    page.keyboard.type("+14255550199")  # the suggestion was selected by the focus
    press("Enter")
    mine = phone(page, "+14255550199")
    expect(mine).to_be_focused()
    tab_to("Messages of +14255550199")
    tab_to("Language")
    page.keyboard.type("fr")
    tab_to("Verify this phone")
    press("Enter")
    expect(mine.locator(".standing")).to_contain_text("Reference")
    told.run_once()
    expect(mine.get_by_role("button", name="Right code")).to_be_enabled()
    tab_to("Reply", "Shift+Tab")
    page.keyboard.type("what is this?")
    press("Enter")
    expect(mine.locator(".messages .mine")).to_have_text("what is this?")
    tab_to("Code, spaced", "Shift+Tab")
    press("Enter")
    expect(mine.locator(".standing")).to_contain_text("approved")
    tab_to("What the webhook answered to +14255550199")
    tab_to("One more phone")
    press("Space")
    expect(phone(page, "+14255550124")).to_be_focused()
    tab_to("All well again")
    press("Enter")
    expect(page.locator("#faults")).to_have_text("Nothing.")
    tab_to("What", "Shift+Tab")
    page.keyboard.type("Twilio refuses")
    tab_to("Let it happen")
    press("Enter")
    expect(page.locator("#faults")).to_contain_text("Twilio refuses the text (code) 21614, 1 more")
    tab_to("It will")
    page.keyboard.type("fail")
    expect(page.get_by_label("It will")).to_have_value("fail")
    told.run_once()
    expect(page.locator("#received summary")).to_be_visible()
    tab_to("Body")
    press("Enter")
    expect(page.locator("#received pre")).to_be_visible()
