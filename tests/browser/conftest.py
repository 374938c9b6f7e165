"""Opens the console and the phone page in a real Chromium. Without one the tests are skipped with a
notice; with REQUIRE_BROWSER set they fail."""

import os
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser import chromium
from tests.conftest import SOAK
from tests.harness import CONSOLE_KEY, Harness

STOPS_OF_A_TIME = 7  # Tab stops within one date and time field
PATIENCE_MS = 20_000  # the pages ask once a second; other tests share the cores


expect.set_options(timeout=PATIENCE_MS)


# Closed after this package: while it is open, its event loop runs in the thread of the tests.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = chromium.find()
    if path is None:
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail(f"no Chromium: {chromium.ADVICE}")
        pytest.skip(f"no Chromium: {chromium.ADVICE}")
    with chromium.launched(path) as (_, browser):
        yield browser


# Everything a pointer can use, named by its place in the page, without hidden elements.
_NAMED = "(e) => `${[...document.querySelectorAll('*')].indexOf(e)} ${e.outerHTML.slice(0, 80)}`"
_USABLE = f"""() => [...document.querySelectorAll("a[href], button, input, select, summary")]
    .filter((e) => e.type !== "hidden" && e.checkVisibility()).map({_NAMED})"""
_FOLLOW_FOCUS = f"""() => {{
    window.reached = [];
    document.addEventListener("focusin", ({{ target }}) => {{
        if (getComputedStyle(target).outlineStyle !== "none") reached.push(({_NAMED})(target));
    }});
}}"""


_AXE = Axe().axe_script
_CONTRAST = "color-contrast"
_WIDE = 1280


def _looks(narrow: int) -> list[tuple[int, Literal["light", "dark"], dict[str, Any]]]:
    """Widths, themes and options of axe-core. A theme affects only contrast, and a width affects no
    colour, so each rule runs where its result can differ; in `make soak`, everywhere."""
    if SOAK > 1:
        return [(width, scheme, {}) for width in (narrow, _WIDE) for scheme in ("light", "dark")]
    return [
        (narrow, "light", {}),
        (_WIDE, "light", {"rules": {_CONTRAST: {"enabled": False}}}),
        (_WIDE, "dark", {"runOnly": [_CONTRAST]}),
    ]


class Visit:
    """A browser window, and the errors it reported."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.url = url
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.complaints: list[str] = []
        self.dialogs: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("response", self._hear_status)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", self._dismiss)

    def open(self, path: str = "") -> Page:
        self.page.goto(self.url + path)
        return self.page

    def sign_in(self, key: str = CONSOLE_KEY) -> Page:
        self.open("/console/")
        self.page.get_by_label("Console key").fill(key)
        self.page.get_by_role("button", name="Sign in").click()
        return self.page

    def faults(self, **options: Any) -> list[str]:
        """Runs axe-core on the current page; `options` are axe-core's."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(_AXE)
        # Passed rules are not written out; no rule in use reads the style sheets themselves.
        violations = self.page.evaluate(
            "(options) => axe.run(options).then((found) => found.violations)",
            {"resultTypes": ["violations"], "preload": False, **options},
        )
        return [
            f"{v['id']}: {node['target']} {node['failureSummary']}"
            for v in violations
            for node in v["nodes"]
        ]

    def faults_by_look(self, *, narrow: int = 390) -> list[str]:
        """Returns what axe-core finds, narrow and wide, light and dark, and whether the page
        scrolls sideways."""
        found = []
        for width, scheme, options in _looks(narrow):
            self.page.set_viewport_size({"width": width, "height": 844})
            self.page.emulate_media(color_scheme=scheme)
            faults = self.faults(**options)
            if not self.is_within_its_width():
                faults.append("it scrolls sideways")
            found += [f"{width}, {scheme}: {fault}" for fault in faults]
        return found

    def unreachable(self) -> list[str]:
        """Elements that a pointer can use, but that no Tab leads to, or that show no focus."""
        self.page.evaluate("document.activeElement?.blur()")
        self.page.evaluate(_FOLLOW_FOCUS)
        wanted = set(self.page.evaluate(_USABLE))
        stops = len(wanted) + STOPS_OF_A_TIME * self.page.locator("[type=datetime-local]").count()
        for _ in range(stops + 1):
            self.page.keyboard.press("Tab")
        return sorted(wanted - set(self.page.evaluate("reached")))

    def is_within_its_width(self) -> bool:
        return bool(
            self.page.evaluate(
                "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
            )
        )

    def _hear_status(self, response) -> None:
        """Records all 5xx and refused resources; the page itself may be refused on purpose."""
        is_page = response.request.resource_type == "document" or "/simulator/" in response.url
        if response.status >= 500 or (response.status >= 400 and not is_page):
            self.complaints.append(f"{response.status} {response.url}")

    def _hear(self, message) -> None:
        # The browser's own message about a status: recorded above.
        is_status = message.text.startswith("Failed to load resource: the server responded with")
        if message.type in ("error", "warning") and not is_status:
            self.complaints.append(message.text)

    def _dismiss(self, dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Opens windows. In the end, none may have shown an error, a policy violation or a dialog."""
    contexts: list[BrowserContext] = []
    visits: list[Visit] = []

    def make(url: str, **more) -> Visit:
        context = browser.new_context(**more)
        contexts.append(context)
        visits.append(Visit(context, url))
        return visits[-1]

    yield make
    for context in contexts:
        context.close()
    for made in visits:
        assert made.complaints == []
        assert made.dialogs == []


@pytest.fixture
def console(harness: Harness, visit: Callable[..., Visit]) -> Visit:
    """The console, signed in."""
    made = visit(harness.url)
    made.sign_in()
    return made


@pytest.fixture
def phones(harness: Harness, visit: Callable[..., Visit]) -> Visit:
    made = visit(harness.simulator.url)
    made.open()
    return made
