"""Finds and adds phones on the phone page, and stands in for a Textback that is gone."""

from playwright.sync_api import Locator, Page

from tests.harness import PHONE

TEN = [f"+142555502{place:02}" for place in range(10)]


def phone(page: Page, number: str = PHONE) -> Locator:
    return page.get_by_role("region", name=f"Phone {number}")


def add(page: Page, number: str = "") -> None:
    if number:
        page.get_by_label("Another phone").fill(number)
    page.get_by_role("button", name="Add phone").click()


def unavailable(environ, start_response):
    start_response("503 Service Unavailable", [("Content-Type", "application/json")])
    return [b"{}"]
