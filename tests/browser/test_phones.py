"""The phone page adds phones, stands them in rows, and tells the state of each."""

import re
from collections.abc import Callable

from playwright.sync_api import Locator, expect

from tests.browser.conftest import Visit
from tests.browser.phones import TEN, add, phone
from tests.harness import NUMBER, PHONE, Harness

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
