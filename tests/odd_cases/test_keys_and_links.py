"""Links stay with their instance and its caller while keys are rotated and replaced."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.harness import FUNCTION_KEY, INSTANCES, START, Harness
from tests.harness import harness as open_harness

OLD, NEW = "the-old-function-key", "the-new-function-key"


# -- a link is for its own instance ----------------------------------------------------------------


@contextmanager
def restarted(harness: Harness, path: Path, **settings: str) -> Iterator[Harness]:
    """The same database under other settings."""
    url = harness.settings.database_url
    with open_harness(path, DATABASE_URL=url, **settings) as again:
        again.clock.now = harness.clock.now
        yield again


def restart(harness: Harness, links: dict[str, str], **more: object):
    path = links["restartPostUri"].partition("/runtime")[2]
    return harness.call("POST", f"/runtime{path}", key=None, **more)


def test_the_link_of_a_replaced_key_starts_nothing(tmp_path: Path) -> None:
    with open_harness(tmp_path, FUNCTION_KEY=OLD) as before:
        links = before.start(key=OLD)
        before.forward(200)
        assert restart(before, links).status_code == 202
        with restarted(before, tmp_path, FUNCTION_KEY=NEW) as after:
            after.forward(200)
            response = restart(after, links)
            assert (response.status_code, response.json()["code"]) == (403, "key_replaced")
            assert after.status(links["id"])["runtimeStatus"] == "Failed", "it still reads"
            again = after.call("POST", f"{INSTANCES}/{links['id']}/restart")
            assert again.status_code == 202, "a system key may"


def test_while_a_key_is_rotated_its_links_go_on(tmp_path: Path) -> None:
    with open_harness(tmp_path, FUNCTION_KEY=OLD) as before:
        links = before.start(key=OLD)
        with restarted(before, tmp_path, FUNCTION_KEY=f"{NEW},{OLD}") as after:
            after.forward(200)
            assert restart(after, links).status_code == 202


def test_a_link_from_before_keys_were_marked_goes_by_the_callers_name(harness: Harness) -> None:
    """Of a verification that an earlier version began."""
    links = harness.start()
    harness.forward(200)
    from bot.store.tx import Done

    sql = "UPDATE verification SET caller_key = NULL, started_by = :name"
    harness.store.write(lambda tx: Done(tx.run(sql, name="gone")))
    assert restart(harness, links).json()["code"] == "key_replaced"
    harness.store.write(lambda tx: Done(tx.run(sql, name="function")))
    again = restart(harness, links)
    assert again.status_code == 202
    harness.forward(200)
    assert restart(harness, again.json()).status_code == 202, "and so do the links of the new one"


def test_a_restart_by_link_supersedes_nothing(harness: Harness) -> None:
    old = harness.start()
    present = harness.start()
    response = restart(harness, old)
    assert (response.status_code, response.json()["code"]) == (409, "number_busy")
    assert int(response.headers["Retry-After"]) > 0
    assert harness.status(present["id"])["customStatus"]["status"] == "pending"


# -- every refusal says what is wrong --------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "key", "status", "code"),
    [
        ("POST", START, None, 401, "unauthorized"),
        ("POST", START, "unknown", 401, "unauthorized"),
        ("GET", INSTANCES, FUNCTION_KEY, 403, "forbidden"),
        ("DELETE", INSTANCES, FUNCTION_KEY, 403, "forbidden"),
        ("GET", f"{INSTANCES}/x", "unknown", 401, "unauthorized"),
        ("GET", "/metrics", None, 401, "unauthorized"),
        ("POST", "/twilio/sms", None, 403, "forbidden"),
        ("POST", "/twilio/status/x", None, 403, "forbidden"),
    ],
)
def test_401_and_403_have_a_body(
    harness: Harness, method: str, path: str, key: str | None, status: int, code: str
) -> None:
    response = harness.call(method, path, key=key)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.json()["Message"].endswith(".")
    assert response.headers["Content-Type"].startswith("application/json")
    assert ("WWW-Authenticate" in response.headers) == (status == 401)


def test_a_link_of_the_wrong_scope_is_told_which_it_needs(harness: Harness) -> None:
    links = harness.start()
    read = links["statusQueryGetUri"].partition("code=")[2]
    response = harness.call("POST", f"{INSTANCES}/{links['id']}/terminate", key=read)
    assert (response.status_code, response.json()["code"]) == (403, "forbidden")
    assert "act" in response.json()["Message"]


# -- rotating keys ---------------------------------------------------------------------------------


@pytest.mark.parametrize("both", [f"{NEW},{OLD}", f"app:{OLD},app:{NEW}"])
def test_two_keys_of_one_caller_are_one_caller(tmp_path: Path, both: str) -> None:
    with open_harness(tmp_path, FUNCTION_KEY=both) as harness:
        keyed = {"Idempotency-Key": "order-4711"}
        first = harness.start(key=OLD, headers=keyed)
        assert harness.start(key=NEW, headers=keyed)["id"] == first["id"]
        second = harness.start(key=NEW)
        assert second["id"] != first["id"]
        assert harness.status(first["id"])["customStatus"]["cause"] == "superseded"


def test_after_the_old_key_is_gone_the_caller_is_the_same(tmp_path: Path) -> None:
    keyed = {"Idempotency-Key": "order-4711"}
    with open_harness(tmp_path, FUNCTION_KEY=OLD) as before:
        first = before.start(key=OLD, headers=keyed)
        with restarted(before, tmp_path, FUNCTION_KEY=f"{NEW},{OLD}") as between:
            assert between.start(key=NEW, headers=keyed)["id"] == first["id"]
            with restarted(between, tmp_path, FUNCTION_KEY=NEW) as after:
                assert after.start(key=NEW, headers=keyed)["id"] == first["id"]
                assert after.post_start(key=OLD).status_code == 401


def test_a_restart_honours_its_idempotency_key(harness: Harness) -> None:
    links = harness.start()
    harness.forward(200)
    keyed = {"Idempotency-Key": "again-1"}
    first = restart(harness, links, headers=keyed)
    assert first.status_code == 202
    assert restart(harness, links, headers=keyed).json()["id"] == first.json()["id"]
    path = f"{INSTANCES}/{links['id']}/restart"
    assert harness.call("POST", path, headers=keyed).json()["id"] == first.json()["id"]
    other = harness.call("POST", path, headers={"Idempotency-Key": "again-2"})
    assert other.json()["id"] != first.json()["id"]


@pytest.mark.parametrize("key", [OLD, NEW])
def test_a_key_that_gets_a_name_stays_the_same_caller(tmp_path: Path, key: str) -> None:
    """From FUNCTION_KEY=K to app:K,app:N."""
    with open_harness(tmp_path, FUNCTION_KEY=OLD) as before:
        once = {"Idempotency-Key": "once"}
        first = before.start(key=OLD, headers=once)
        with restarted(
            before, tmp_path, FUNCTION_KEY=f"app:{OLD},app:{NEW},other:{FUNCTION_KEY}"
        ) as after:
            assert after.start(key=key, headers=once)["id"] == first["id"]
            assert after.post_start(key=FUNCTION_KEY).json()["code"] == "number_busy"
            again = after.post_start(key=FUNCTION_KEY, headers=once)
            assert again.json()["code"] == "number_busy"
            assert after.post_start(key=key).status_code == 202
            assert after.status(first["id"])["customStatus"]["cause"] == "superseded"


def test_a_key_that_got_a_name_is_needed_for_what_it_began_without_one(tmp_path: Path) -> None:
    """From FUNCTION_KEY=K to app:N, as docs/settings.md says."""
    with open_harness(tmp_path, FUNCTION_KEY=OLD) as before:
        once = {"Idempotency-Key": "once"}
        first = before.start(key=OLD, headers=once)
        before.forward(200)
        with restarted(before, tmp_path, FUNCTION_KEY=f"app:{NEW},app:{OLD}") as between:
            assert between.start(key=NEW, headers=once)["id"] == first["id"]
        with restarted(before, tmp_path, FUNCTION_KEY=f"app:{NEW}") as after:
            assert after.start(key=NEW, headers=once)["id"] != first["id"]


# -- the address to ask again, and that of the webhook ---------------------------------------------


def test_the_address_to_ask_again_keeps_what_was_asked_for(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    asked = "showinput=false&showHistory=true&returnInternalServerErrorOnFailure=true"
    location = harness.call("GET", f"{INSTANCES}/{id}?{asked}").headers["Location"]
    again = harness.http.get(location)
    assert again.json()["input"] is None
    assert again.json()["historyEvents"]
    assert again.headers["Location"] == location


def test_the_webhook_may_end_with_a_slash(harness: Harness) -> None:
    harness.start_and_send()
    world = harness.simulator.world
    world.number = replace(world.number, sms_url=f"{world.number.sms_url}/")
    assert "Thank you" in harness.text(harness.code()).body
