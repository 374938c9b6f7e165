"""A removal removes no more than was asked for, and refuses filters that it does not understand."""

import pytest

from bot.app import openapi_document
from tests.harness import INSTANCES, Harness

FROM = "createdTimeFrom=2020-01-01T00:00:00Z"


@pytest.mark.parametrize(
    "filters",
    [
        f"{FROM}&createdTimeTo=06/01/2020 00:00:00",
        f"{FROM}&createdTimeTo=2020-6-1T00:00:00Z",
        f"{FROM}&createdTimeTo=1590969600",
        f"{FROM}&createdTimeTo=",
        f"{FROM}&createdTimeTo=yesterday",
        f"{FROM}&createdTimeTo=2020-06-01T00:00:00 CET",
        f"{FROM}&createdTimeTo=2020-06-01&createdTimeTo=2030-01-01",
        f"{FROM}&createdTimeFrom=2021-01-01",
        f"{FROM}&runtimeStatus=Nonsense",
        f"{FROM}&runtimeStatus=",
        f"{FROM}&runtimeStatus=Completed,",
        f"{FROM}&runtimeStatus=Completed,Gone",
        f"{FROM}&createdTimeUntil=2020-06-01T00:00:00Z",
        f"{FROM}&instanceIdPrefix=abc",
        f"{FROM}&top=1",
        "createdTimeFrom=1577836800",
        "createdTimeFrom=27-01-01",
        "createdTimeFrom=30-06-15T00:00:00Z",
        "createdTimeFrom=1-06-15",
        "createdTimeFrom=",
        "",
    ],
)
def test_what_is_not_understood_is_400_and_removes_nothing(harness: Harness, filters: str) -> None:
    id = harness.start_and_send()["id"]
    harness.text(harness.code())
    response = harness.call("DELETE", f"{INSTANCES}?{filters}")
    assert response.status_code == 400
    assert response.content
    assert harness.status(id)["output"] is True


@pytest.mark.parametrize(
    "filters",
    [
        f"{FROM}&createdTimeTo=2020-06-01T00:00:00+02:00",  # the plus arrives as a blank
        f"{FROM}&createdTimeTo=2020-06-01T00:00:00%2B02:00",
        f"{FROM}&createdTimeTo=2020-06-01",
        f"{FROM}&runtimeStatus=failed",
    ],
)
def test_what_is_understood_removes_what_it_says(harness: Harness, filters: str) -> None:
    id = harness.start_and_send()["id"]
    harness.text(harness.code())
    assert harness.call("DELETE", f"{INSTANCES}?{filters}").status_code == 404
    assert harness.status(id)["output"] is True


@pytest.mark.parametrize(
    "filters",
    [
        f"{FROM}&runtimeStatus=completed",
        f"{FROM}&RUNTIMESTATUS=COMPLETED&taskHub=x&connection=y",
        "createdTimeFrom=2026-01-31T13:00:00+01:00",
        "createdTimeFrom=2026-01-31T12:00:00.0000000Z&createdTimeTo=2026-01-31T15:00:00 01:00",
    ],
)
def test_words_in_any_case_and_blanks_for_a_plus_are_understood(
    harness: Harness, filters: str
) -> None:
    harness.start_and_send()
    harness.text(harness.code())
    response = harness.call("DELETE", f"{INSTANCES}?{filters}")
    assert response.json() == {"instancesDeleted": 1}


@pytest.mark.parametrize(
    "filters",
    [
        *("createdTimeTo=garbage", "createdTimeTo=2020-01-01T00:00:00Z", "runtimeStatus=Failed"),
        *("x=1", "taskHub=h%26runtimeStatus=Failed"),
    ],
)
def test_the_removal_of_one_has_no_filter(harness: Harness, filters: str) -> None:
    id = harness.start_and_send()["id"]
    harness.text(harness.code())
    response = harness.call("DELETE", f"{INSTANCES}/{id}?{filters}")
    assert (response.status_code, response.json()["code"]) == (400, "invalid_filter")
    assert harness.status(id)["output"] is True
    common = "taskHub=x&connection=Storage"
    assert harness.call("DELETE", f"{INSTANCES}/{id}?{common}").status_code == 200


def test_the_removal_of_one_has_no_body(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.text(harness.code())
    filters = {"runtimeStatus": "Failed", "createdTimeTo": "2020-01-01"}
    response = harness.call("DELETE", f"{INSTANCES}/{id}", json=filters)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_filter")
    assert harness.status(id)["output"] is True


def test_a_removal_of_one_with_filters_is_described(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.text(harness.code())
    assert harness.call("DELETE", f"{INSTANCES}/{id}?top=1").status_code == 400
    described = openapi_document()["paths"][f"{INSTANCES}/{{id}}"]["delete"]["responses"]
    assert "400" in described
