"""Twilio's OpenAPI description of Verify v2 against what really goes over the wire: every route and
every error, driven by Twilio's own client. The fixture `verify` holds all other traffic of both
clients against it, too."""

import dataclasses
import json

import pytest

from bot.faces.verify import errors as face
from tests.harness import PHONE
from tests.verify.conftest import Verify, refused
from tests.verify.description import DESCRIPTION, complaints, route_of
from tests.verify.traffic import Exchange
from tests.verify.troubles import TROUBLES

# In the face's table, but no request leads to them.
UNREACHABLE = {(20003, 403)}


def test_every_route_answers_as_described(verify: Verify) -> None:
    created = verify.create_and_send(tags=json.dumps({"a": "b"}), locale="en", risk_check="enable")
    verify.fetch(created.sid)
    verify.check(verify.harness.wrong())
    verify.check(verify.harness.code(), to=None, verification_sid=created.sid)
    verify.fetch(PHONE)
    verify.create_and_send()
    verify.cancel(PHONE)
    verify.service.fetch()
    verify.client.verify.v2.services.list(limit=1)
    theirs = [one for one in verify.recorded if one.path.startswith("/v2/")]
    described = {
        f"{method.upper()} {route}"
        for route, item in DESCRIPTION["paths"].items()
        for method in item
    }
    assert {route_of(one) for one in theirs} == described
    assert {one.status for one in theirs} == {200, 201}
    assert [fault for one in theirs for fault in complaints(one)] == []


@pytest.mark.parametrize("name", TROUBLES)
def test_every_error_has_the_shape_of_an_error(verify: Verify, name: str) -> None:
    trouble = TROUBLES[name]
    verify.restart(**trouble.settings)
    refused(lambda: trouble.bring_about(verify))
    assert complaints(verify.last) == []
    assert verify.last.headers["Content-Type"].startswith("application/json")


def test_every_code_of_the_face_is_brought_about() -> None:
    codes = [*face.CODES.values(), *face.LIMITS.values(), *face.FAULTS.values()]
    codes += [face.SERVICE_LIMIT, face.INTERNAL]
    expected = {(code.number, code.status) for code in codes} - UNREACHABLE
    assert {(trouble.code, trouble.status) for trouble in TROUBLES.values()} == expected


def test_the_judge_finds_faults(verify: Verify) -> None:
    """A judge that finds no faults would let everything pass."""
    verify.create()
    good = verify.last
    assert complaints(good) == []

    def changed(**more: object) -> Exchange:
        return dataclasses.replace(good, body=json.dumps({**good.json, **more}).encode())

    for name, value in (
        ("sid", "VE1"),
        ("status", 1),
        ("valid", "no"),
        ("channel", "pigeon"),
        ("date_created", "Fri, 30 Jan 2026"),
        ("another", 1),
    ):
        assert complaints(changed(**{name: value})), name
    assert complaints(dataclasses.replace(good, status=202))
    assert complaints(dataclasses.replace(good, form={**good.form, "Nonsense": ["1"]}))
    assert complaints(dataclasses.replace(good, form={}))
    assert complaints(dataclasses.replace(good, status=429, body=b'{"code": 60203}'))
