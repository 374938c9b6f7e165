"""A page of an allowed origin follows a verification by its read link, and nothing else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness import INSTANCES, Harness
from tests.harness import harness as open_harness

ORIGIN = "https://app.example.com"
ALLOWED = "Access-Control-Allow-Origin"


@pytest.fixture
def open_to_pages(tmp_path: Path) -> Iterator[Harness]:
    with open_harness(tmp_path, ALLOWED_ORIGINS=f"{ORIGIN}:443,http://127.0.0.1:5000") as made:
        yield made


def ask(harness: Harness, method: str, url: str, origin: str = ORIGIN) -> Any:
    return harness.http.request(method, url, headers={"Origin": origin}, timeout=20)


def test_the_read_link_may_be_read(open_to_pages: Harness) -> None:
    link = open_to_pages.start()["statusQueryGetUri"]
    for method in ("GET", "HEAD"):
        response = ask(open_to_pages, method, link)
        assert response.status_code == 202
        assert response.headers[ALLOWED] == ORIGIN
        assert response.headers["Vary"] == "Origin"
        assert "Access-Control-Allow-Credentials" not in response.headers
    assert ask(open_to_pages, "HEAD", link).content == b""
    preflight = ask(open_to_pages, "OPTIONS", link)
    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
    assert "Access-Control-Allow-Headers" not in preflight.headers, "no page sends a key so"


def test_an_error_may_be_read_too(open_to_pages: Harness) -> None:
    link = open_to_pages.start()["statusQueryGetUri"]
    response = ask(open_to_pages, "GET", link + "x")
    assert (response.status_code, response.headers[ALLOWED]) == (401, ORIGIN)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", ORIGIN + ".evil.example"])
def test_no_other_origin(open_to_pages: Harness, origin: str) -> None:
    link = open_to_pages.start()["statusQueryGetUri"]
    assert ALLOWED not in ask(open_to_pages, "GET", link, origin).headers
    assert ask(open_to_pages, "OPTIONS", link, origin).status_code == 404


def test_no_other_key_or_route_is_open_to_pages(open_to_pages: Harness) -> None:
    links = open_to_pages.start()
    origin = {"Origin": ORIGIN}
    found = open_to_pages.call("GET", f"{INSTANCES}/{links['id']}", headers=origin)
    assert found.status_code == 202
    assert ALLOWED not in found.headers
    assert ALLOWED not in open_to_pages.call("GET", INSTANCES, headers=origin).headers
    for name, url in links.items():
        if name.endswith("PostUri"):
            assert ALLOWED not in ask(open_to_pages, "POST", url).headers, name
            assert ask(open_to_pages, "OPTIONS", url).status_code == 404, name


def test_an_error_of_a_system_key_is_not_opened(open_to_pages: Harness) -> None:
    open_to_pages.simulator.faults.add("refuse", code=21614)
    id = open_to_pages.start_and_send()["id"]
    asked = f"{INSTANCES}/{id}?returnInternalServerErrorOnFailure=true"
    failed = open_to_pages.call("GET", asked, headers={"Origin": ORIGIN})
    assert failed.status_code == 500
    assert ALLOWED not in failed.headers


def test_without_allowed_origins_no_page_may_read(harness: Harness) -> None:
    link = harness.start()["statusQueryGetUri"]
    response = ask(harness, "GET", link)
    assert ALLOWED not in response.headers
    assert "Vary" not in response.headers
    assert ask(harness, "OPTIONS", link).status_code == 404
