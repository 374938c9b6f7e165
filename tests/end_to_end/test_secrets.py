"""Verifications of all kinds with codes of ten digits, then a search for codes and numbers."""

import logging
import re
from pathlib import Path

import pytest

from simulator import faults
from tests.conftest import SOAK
from tests.databases import bytes_in
from tests.harness import ACCOUNT, FUNCTION_KEY, SYSTEM_KEY, Harness, database_in
from tests.harness import harness as open_harness
from tests.postgres import shared

COUNT = 60 if SOAK == 1 else 1000


def drive(harness: Harness, phone: str, place: int, said: list[str]) -> str:
    """One verification, ended in one of ten ways. Returns its code."""
    if place % 10 == 8:
        harness.simulator.faults.add(faults.ERROR_AFTER, phone=phone)
    id = harness.start_and_send(phone)["id"]
    code = harness.code(phone)
    event = f"/runtime/webhooks/durabletask/instances/{id}/raiseEvent/SmsChallengeResponse"
    match place % 10:
        case 0 | 1 | 8:
            harness.text(code, phone=phone)
        case 2:
            for _ in range(4):
                harness.text(harness.wrong(phone), phone=phone)
        case 3:
            harness.answer(id, code)
        case 4:
            said.append(harness.call("POST", event, json={"code": code}).text)
        case 5:
            harness.text(f"Loved \u201c{harness.texts(phone)[-1].body}\u201d", phone=phone)
        case 6:
            harness.text("STOP", phone=phone)
            said.append(harness.post_start(phone).text)
        case 7:
            harness.terminate(id, "enough")
            harness.text(code, phone=phone)
        case _:
            path = f"/orchestrators/{code}?code={code}"
            said.append(harness.call("POST", path, key=None).text)
    return code


def everything_in(folder: Path) -> str:
    """The bytes of the file, with its log; or all that PostgreSQL would write into a backup."""
    if database_in(folder).startswith("postgresql"):
        return shared().dump(database_in(folder).rpartition("/")[2])
    return bytes_in(folder).decode("latin-1")


def test_no_code_anywhere_no_full_number_outside_the_database_no_key(
    tmp_path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="bot")
    with open_harness(tmp_path, CODE_LENGTH="10") as harness:
        phones = [f"+1425{555 + place // 9000}{1000 + place % 9000}" for place in range(COUNT)]
        said: list[str] = []
        codes = {drive(harness, phone, place, said) for place, phone in enumerate(phones)}
        harness.forward(200)
        headers = {"Authorization": f"Bearer {SYSTEM_KEY}"}
        said.append(harness.call("GET", "/metrics", key=None, headers=headers).text)
        stored = everything_in(tmp_path)
        told = caplog.text + "".join(said)
        assert len(codes) > COUNT * 0.99
        assert phones[0] in stored, "the search would find what is there"
        runs = re.compile(r"[0-9]{10,}")
        for text in (stored, told):
            found = {run[at : at + 10] for run in runs.findall(text) for at in range(len(run) - 9)}
            assert not codes & found
        assert not [phone for phone in phones if phone in told or phone[1:] in told]
        for key in (FUNCTION_KEY, SYSTEM_KEY, ACCOUNT.auth_token, harness.settings.secret_key):
            assert key not in told
            assert key not in stored
