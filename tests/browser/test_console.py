"""The console signs in, follows changes, and is used with keys, a clipboard or no script."""

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser import canned
from tests.browser.conftest import Visit
from tests.harness import PHONE, Harness


def test_a_wrong_key_is_refused_and_the_right_one_is_not(
    harness: Harness, visit: Callable[..., Visit]
) -> None:
    made = visit(harness.url)
    page = made.sign_in("not-the-key-at-all")
    expect(page.get_by_role("alert")).to_have_text("This key is not valid.")
    page = made.sign_in()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_an_open_page_notices_that_it_was_signed_out(harness: Harness, console: Visit) -> None:
    harness.clock.forward(13 * 3600)
    expect(console.page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_everything_can_be_done_with_the_keyboard_alone(harness: Harness, visit) -> None:
    page = visit(harness.url).open("/console/")
    press = page.keyboard.press

    def tab_to(text: str) -> None:
        """Presses Tab until an element with this text has the focus, which must be visible."""
        for _ in range(40):
            press("Tab")
            said = page.evaluate(
                "[document.activeElement.textContent, document.activeElement.ariaLabel,"
                " document.activeElement.name].join(' ')"
            )
            if text in said:
                outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
                assert outline != "none", f"nobody sees that {text} is focused"
                return
        raise AssertionError(f"no way to {text}")

    expect(page.get_by_label("Console key")).to_be_focused()
    page.keyboard.type("a-console-key-for-tests")
    press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    press("Tab")
    press("Enter")  # skips to the content; the browser moves the focus in its next frame
    expect(page.get_by_role("main")).to_be_focused()
    tab_to("number")
    page.keyboard.type(PHONE)
    press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(PHONE)
    harness.run_once()
    tab_to("Cancel it")
    press("Enter")
    expect(page.get_by_role("status")).to_have_text("The verification is canceled.")
    tab_to("Forget this number")
    press("Enter")
    tab_to("Erase all of")
    press("Enter")
    expect(page.get_by_role("status")).to_contain_text(f"{PHONE} is forgotten")


def test_a_look_at_what_a_form_removes_takes_no_place_of_its_answer(
    harness: Harness, console: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number is erased, and the answer comes two looks later."""
    scrub = harness.store.scrub
    monkeypatch.setattr(harness.store, "scrub", lambda: bool(time.sleep(2.5)) or scrub())
    page = console.open(f"/console/verifications/{canned.approved(harness)}")
    page.get_by_text("Forget this number").click()
    page.get_by_role("button", name="Erase all of").click()
    expect(page.get_by_role("status")).to_contain_text(f"{PHONE} is forgotten")


def test_a_focused_link_stays_focused_when_its_part_changes(
    harness: Harness, console: Visit
) -> None:
    canned.sent(harness)
    page = console.open("/console/")
    page.get_by_role("link", name=PHONE).focus()
    harness.text(harness.wrong())
    expect(page.locator("#pending")).to_contain_text("1 of 4")
    assert page.evaluate("document.activeElement.textContent") == PHONE


def test_without_a_script_the_pages_are_whole(
    harness: Harness, visit: Callable[..., Visit]
) -> None:
    made = visit(harness.url, java_script_enabled=False)
    page = made.sign_in()
    page.get_by_label("Number to verify").fill(PHONE)
    page.get_by_role("button", name="Start a verification").click()
    harness.run_once()
    page.reload()
    expect(page.locator("time.countdown")).to_have_text("90 s left")
    page.get_by_role("link", name="Verifications").click()
    page.get_by_label("Status").select_option("pending")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("link", name=PHONE)).to_have_count(1)


def test_keys_search_move_and_help(harness: Harness, console: Visit) -> None:
    ids = [canned.sent(harness, f"+1425555020{place}") for place in range(3)]
    page = console.open("/console/verifications")
    press = page.keyboard.press

    def focused() -> str:
        return str(page.evaluate("document.activeElement.textContent.trim()"))

    press("j")
    first = focused()
    press("j")
    second = focused()
    press("k")
    assert focused() == first != second
    press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(first)
    page.wait_for_load_state()  # the heading stands before the script runs
    press("?")
    expect(page.get_by_role("dialog")).to_contain_text("next and previous row")
    press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    press("/")
    expect(page.get_by_label("Search")).to_be_focused()
    page.keyboard.type("0201")
    expect(page.get_by_label("Search")).to_have_value("0201")
    press("Enter")
    expect(page.locator("#found [data-row]")).to_have_text(["+14255550201"])
    page.goto(f"{harness.url}/console/verifications?q={ids[0]}")
    expect(page.get_by_role("heading", level=1)).to_have_text("+14255550200")


def test_the_time_of_the_reader_is_shown_and_utc_stays_at_hand(
    harness: Harness, visit: Callable[..., Visit]
) -> None:
    canned.sent(harness)
    made = visit(harness.url, timezone_id="Asia/Kolkata", locale="en-GB")
    made.sign_in()
    page = made.open("/console/verifications")
    began = page.locator("#found time")
    expect(began.locator(".clocked")).to_have_text("17:30:00")
    expect(began.locator(".ago")).to_have_text("0 s ago")
    expect(began).to_have_attribute("title", "2026-01-31 12:00:00 UTC")
    harness.clock.forward(3600)
    harness.start("+14255550177")
    expect(page.locator("#found .ago").last).to_have_text("1 h ago")


def test_what_is_copied_is_on_the_clipboard(harness: Harness, visit: Callable[..., Visit]) -> None:
    id = canned.sent(harness)
    made = visit(harness.url, permissions=["clipboard-read", "clipboard-write"])
    made.sign_in()
    page = made.open(f"/console/verifications/{id}")
    page.get_by_role("button", name="Copy the id").click()
    expect(page.get_by_role("button", name="Copy the id")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == id


def test_a_copy_that_the_browser_refuses_is_said(harness: Harness, console: Visit) -> None:
    page = console.open(f"/console/verifications/{canned.sent(harness)}")
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error()); }")
    page.get_by_role("button", name="Copy the id").click()
    said = "Not copied: the browser refused"
    expect(page.get_by_role("button", name="Copy the id")).to_have_text(said)
    expect(page.locator("#said")).to_have_text(said)


def test_keys_can_be_turned_off(harness: Harness, console: Visit) -> None:
    canned.sent(harness)
    page = console.open("/console/verifications")
    page.get_by_role("button", name="Keys").click()
    page.get_by_label("Use these keys in this browser").uncheck()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("/")
    expect(page.get_by_label("Search")).not_to_be_focused()
    page.reload()
    page.get_by_role("button", name="Keys").click()
    act = page.get_by_label("Use these keys in this browser")
    expect(act).not_to_be_checked()
    act.check()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("/")
    expect(page.get_by_label("Search")).to_be_focused()


def test_a_time_of_yesterday_has_its_date_on_a_page_that_stayed_open(
    harness: Harness, visit: Callable[..., Visit]
) -> None:
    canned.sent(harness)
    made = visit(harness.url, timezone_id="Asia/Kolkata", locale="en-GB")
    made.sign_in()
    began = made.open("/console/verifications").locator("#found .clocked").last
    expect(began).to_have_text("17:30:00")
    harness.clock.forward(7 * 3600)
    harness.start("+14255550177")
    expect(began).to_have_text("31 Jan, 17:30:00")


def test_the_console_says_since_when_it_is_not_connected(harness: Harness, console: Visit) -> None:
    """First the server is gone, then only a proxy answers; each time the server comes back."""
    canned.sent(harness)
    page = console.open("/console/")
    indicator = page.locator(".indicators li").first
    colour = "element => getComputedStyle(element, '::before').color"
    green = indicator.evaluate(colour)
    for gone in (lambda route: route.abort(), lambda route: route.fulfill(status=502)):
        page.route("**/console/", gone)
        expect(page.get_by_role("alert")).to_contain_text("Not connected since ")
        assert indicator.evaluate(colour) != green
        left = page.locator("time.countdown").text_content()
        harness.clock.forward(5)
        assert page.locator("time.countdown").text_content() == left
        page.unroute("**/console/")
        expect(page.locator("#offline")).to_be_hidden()
        assert indicator.evaluate(colour) == green
    console.complaints.clear()


def test_start_again_asks_first(harness: Harness, console: Visit) -> None:
    id = canned.approved(harness, PHONE)
    page = console.open(f"/console/verifications/{id}")
    button = page.get_by_role("button", name=f"Text a new code to {PHONE}")
    expect(button).to_be_hidden()
    page.locator("summary", has_text="Start again").click()
    button.click()
    expect(page.locator(".chip").first).to_have_text("pending, not sent yet")
