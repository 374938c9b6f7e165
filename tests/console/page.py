"""Reads the elements of a console page."""

import copy

from bs4 import BeautifulSoup, Tag
from werkzeug.test import TestResponse


def text(element: Tag) -> str:
    """The visible text of an element, with single spaces."""
    shown = copy.copy(element)
    for hidden in shown.select("[hidden]"):
        hidden.decompose()
    return " ".join(shown.get_text().split())


class Page:
    """The page of a response. Elements are named by CSS selectors."""

    def __init__(self, response: TestResponse) -> None:
        self._soup = BeautifulSoup(response.text, "html.parser")

    def all(self, css: str) -> list[Tag]:
        """The elements in the order of the page."""
        return list(self._soup.select(css))

    def one(self, css: str) -> Tag:
        """The element of which the page has exactly one."""
        found = self.all(css)
        assert len(found) == 1, f"{len(found)} elements are {css}: {found}"
        return found[0]

    def says(self, css: str) -> str:
        """The words of the only such element."""
        return text(self.one(css))

    def texts(self, css: str) -> list[str]:
        """The words of each such element."""
        return [text(element) for element in self.all(css)]

    def rows(self, css: str) -> list[list[str]]:
        """The cells of each row of the only such table, its head first."""
        return [[text(cell) for cell in row.select("th, td")] for row in self.one(css).select("tr")]

    def facts(self, css: str = "dl.facts") -> list[tuple[str, str]]:
        """The labels of the only such list of facts, each with its value."""
        facts = self.one(css)
        labels, values = facts.select("dt"), facts.select("dd")
        return [(text(dt), text(dd)) for dt, dd in zip(labels, values, strict=True)]

    def fact(self, label: str) -> str:
        """The fact beside a label in the only list of facts."""
        found = [value for name, value in self.facts() if name == label]
        assert len(found) == 1, f"{len(found)} facts are labelled {label}"
        return found[0]
