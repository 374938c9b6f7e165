"""The phone page has no accessibility faults, and all of it can be used with the keyboard alone."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.phones import TEN, add, phone, unavailable
from tests.harness import Harness


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


def tab_to(page: Page, text: str, key: str = "Tab") -> None:
    """Presses Tab until an element with this name has the focus, which must be visible."""
    for _ in range(80):
        page.keyboard.press(key)
        said = page.evaluate(
            "(({ labels, innerText, ariaLabel }) =>"
            " [labels?.[0]?.innerText, innerText, ariaLabel].join('|'))(document.activeElement)"
        )
        if text in said.split("|") or any(part.startswith(text) for part in said.split("|")):
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"nobody sees that {text} is focused"
            return
    raise AssertionError(f"no way to {text}")


def set_a_fault(page: Page) -> None:
    tab_to(page, "All well again")
    page.keyboard.press("Enter")
    expect(page.locator("#faults")).to_have_text("Nothing.")
    tab_to(page, "What", "Shift+Tab")
    page.keyboard.type("Twilio refuses")
    tab_to(page, "Let it happen")
    page.keyboard.press("Enter")
    expect(page.locator("#faults")).to_contain_text("Twilio refuses the text (code) 21614, 1 more")


def read_an_event_that_the_application_refuses(page: Page, harness: Harness) -> None:
    tab_to(page, "It will")
    page.keyboard.type("fail")
    expect(page.get_by_label("It will")).to_have_value("fail")
    harness.run_once()
    expect(page.locator("#received summary")).to_be_visible()
    tab_to(page, "Body")
    page.keyboard.press("Enter")
    expect(page.locator("#received pre")).to_be_visible()


def test_all_of_it_can_be_done_with_the_keyboard_alone(
    told: Harness, visit: Callable[..., Visit]
) -> None:
    page = visit(told.simulator.url).open()
    press = page.keyboard.press
    expect(phone(page)).to_be_visible()
    tab_to(page, "Another phone")
    page.keyboard.type("+14255550199")  # the suggestion was selected by the focus
    press("Enter")
    mine = phone(page, "+14255550199")
    expect(mine).to_be_focused()
    tab_to(page, "Messages of +14255550199")
    tab_to(page, "Language")
    page.keyboard.type("fr")
    tab_to(page, "Verify this phone")
    press("Enter")
    expect(mine.locator(".standing")).to_contain_text("Reference")
    told.run_once()
    expect(mine.get_by_role("button", name="Right code")).to_be_enabled()
    tab_to(page, "Reply", "Shift+Tab")
    page.keyboard.type("what is this?")
    press("Enter")
    expect(mine.locator(".messages .mine")).to_have_text("what is this?")
    tab_to(page, "Code, spaced", "Shift+Tab")
    press("Enter")
    expect(mine.locator(".standing")).to_contain_text("approved")
    tab_to(page, "What the webhook answered to +14255550199")
    tab_to(page, "One more phone")
    press("Space")
    expect(phone(page, "+14255550124")).to_be_focused()
    set_a_fault(page)
    read_an_event_that_the_application_refuses(page, told)
