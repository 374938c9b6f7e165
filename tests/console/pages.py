"""Opens the console's pages, reads what they list, and makes the verifications they count."""

import re

from simulator import faults
from tests.console.conftest import Operator
from tests.console.page import Page
from tests.harness import Harness

OTHER_PHONE = "+14255550199"
FRENCH_PHONE = "+33612345678"

# Of the page of one verification.
WHY = "#view .why"
HISTORY = "#history .timeline li"


def said_words(text: str) -> list[str]:
    """Ids may hold the digits of a code by chance."""
    return re.findall(r"\w+", text)


def show(operator: Operator, path: str) -> Page:
    response = operator.get("/console" + path)
    assert response.status_code == 200, response.text
    return Page(response)


def one(operator: Operator, id: str) -> Page:
    return show(operator, f"/verifications/{id}")


def is_told(said: str, lines: list[str]) -> bool:
    """Whether one of the lines says so."""
    return any(said in line for line in lines)


def listed(operator: Operator, query: str = "") -> list[str]:
    return ids_in(show(operator, f"/verifications?{query}"))


def ids_in(page: Page) -> list[str]:
    return [str(link["href"]).rpartition("/")[2] for link in page.all("#found [data-row]")]


def settle(harness: Harness) -> None:
    """Three approved (after 5, 10 and 40 seconds), one expired, one failed, one canceled."""
    for seconds in (5, 10, 40):
        harness.start_and_send()
        harness.clock.forward(seconds)
        harness.text(harness.code())
    harness.start_and_send(FRENCH_PHONE)
    harness.forward(90)
    harness.simulator.faults.add(faults.REFUSE, code=21614)
    harness.start_and_send()
    harness.start_and_send(OTHER_PHONE)
    harness.text("STOP", OTHER_PHONE)
