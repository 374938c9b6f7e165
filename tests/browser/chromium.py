"""Finds and starts the Chromium of this machine.

`python -m tests.browser.chromium` prints its path, or how to get one and fails.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Playwright, sync_playwright

# The first is Chromium without windows: a page costs a third of the processor time.
NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
ADVICE = "make browser installs one, or CHROMIUM names the path of yours"
# Makes no requests of its own, only those of the pages; root in a container needs --no-sandbox.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find() -> str | None:
    """Returns the path of a Chromium: the configured one, the machine's, or Playwright's own."""
    named = os.environ.get("CHROMIUM")
    found = named or next(filter(None, map(shutil.which, NAMES)), None)
    if found:
        return found
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if os.path.exists(own) else None  # noqa: PTH110


@contextmanager
def launched(path: str) -> Iterator[tuple[Playwright, Browser]]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield playwright, browser
        browser.close()


if __name__ == "__main__":
    sys.exit(print(path) if (path := find()) else f"No Chromium: {ADVICE}.")
