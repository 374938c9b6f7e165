"""A phone sends quick replies and free text, and shows what it gets in any script."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.phones import phone
from tests.harness import PHONE, Harness

ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


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
