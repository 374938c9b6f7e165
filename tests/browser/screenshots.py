"""The pictures of the README, made anew: `make screenshots`.

They show an invented day, on a clock that stands still.
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browser import canned, chromium
from tests.harness import CONSOLE_KEY, PHONE, Harness
from tests.harness import harness as open_harness

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
WIDE = {"width": 1200, "height": 860}
NARROW = {"width": 390, "height": 844}


def main() -> None:
    path = chromium.find()
    if path is None:
        sys.exit(f"No Chromium: {chromium.ADVICE}.")
    PICTURES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        open_harness(Path(folder), LIMIT_TOTAL="1000/hour") as harness,
        chromium.launched(path) as (_, browser),
    ):
        canned.a_day(harness)
        shoot_console(browser, harness)
        shoot_phones(browser, harness)
        shoot_languages(browser, harness)


def shoot_console(browser: Browser, harness: Harness) -> None:
    for name, scheme, size in (
        ("console", "light", WIDE),
        ("console-dark", "dark", WIDE),
        ("console-narrow", "light", NARROW),
    ):
        page = signed_in(browser, harness, color_scheme=scheme, viewport=size)
        save(page, name)
    id = canned.approved(harness, PHONE)
    for name, path in (("console-list", ""), ("console-one", f"/{id}")):
        page = signed_in(browser, harness, viewport=WIDE)
        page.goto(f"{harness.url}/console/verifications{path}")
        save(page, name)


def signed_in(browser: Browser, harness: Harness, **more: object) -> Page:
    page = browser.new_context(**more).new_page()  # type: ignore[arg-type]
    page.goto(f"{harness.url}/console/")
    page.get_by_label("Console key").fill(CONSOLE_KEY)
    page.get_by_role("button", name="Sign in").click()
    return page


def shoot_phones(browser: Browser, harness: Harness) -> None:
    world = harness.simulator.world
    world.leave_phones([PHONE, "+14255550212"])
    harness.simulator.faults.clear()
    size = {"width": 1440, "height": 860}
    page = browser.new_context(viewport=size, reduced_motion="reduce").new_page()  # type: ignore[arg-type]
    page.clock.set_fixed_time(harness.clock.now)
    page.goto(harness.simulator.url)
    phone = page.get_by_role("region", name=f"Phone {PHONE}")
    phone.get_by_role("button", name="Verify this phone").click()
    expect(phone.locator(".standing")).to_contain_text("Reference")
    harness.run_once()
    phone.get_by_role("button", name="Wrong code").click()
    expect(phone.locator(".answers")).to_contain_text("Tries left: 3")
    expect(phone.locator(".banner")).to_contain_text("Tries left: 3")
    save(page, "phones")


LANGUAGES = ("es", "ru", "ar", "he", "el", "fr")  # of scripts that usual fonts have


def shoot_languages(browser: Browser, harness: Harness) -> None:
    """Six phones, each in its own language; one has answered wrong."""
    phones = [f"+1425555022{place}" for place in range(len(LANGUAGES))]
    harness.simulator.world.leave_phones(phones)
    size = {"width": 1440, "height": 900}
    page = browser.new_context(viewport=size, reduced_motion="reduce").new_page()  # type: ignore[arg-type]
    page.clock.set_fixed_time(harness.clock.now)
    page.goto(harness.simulator.url)
    for phone, tag in zip(phones, LANGUAGES, strict=True):
        section = page.get_by_role("region", name=f"Phone {phone}")
        section.get_by_label("Language").fill(tag)
        section.get_by_role("button", name="Verify this phone").click()
        expect(section.locator(".standing")).to_contain_text("Reference")
        harness.run_once()
        expect(section.locator(".messages li")).to_have_count(1)
        section.get_by_role("button", name="Wrong code").click()
        expect(section.locator(".messages li")).to_have_count(3)
    page.evaluate("document.querySelectorAll('.banner').forEach((one) => { one.hidden = true; })")
    page.screenshot(path=PICTURES / "phones-languages.png", full_page=True)
    page.context.close()


def save(page: Page, name: str) -> None:
    page.screenshot(path=PICTURES / f"{name}.png")
    page.context.close()
    print(f"docs/pictures/{name}.png")


if __name__ == "__main__":
    main()
