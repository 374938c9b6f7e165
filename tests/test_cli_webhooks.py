"""Commands list webhooks, send events again, and leave endpoints alone where they only show."""

import re

import pytest

from bot import settings
from bot.app import create_app
from bot.faces.cli.webhooks import WHILE
from bot.store import webhook_endpoints
from simulator.receiver import Behaviour
from tests.harness import Harness, environment


def event_of(harness: Harness, behaviour: Behaviour) -> str:
    """The id of an event that was tried once."""
    harness.simulator.receiver.behaviour = behaviour
    harness.start_and_send()
    harness.text(harness.code())
    harness.run_once()
    return harness.simulator.receiver.events()[-1].id


def endpoint_of(harness: Harness) -> str:
    return harness.flask("webhooks", "list").output.split()[0]


def test_webhooks_are_listed_with_what_was_answered(told: Harness) -> None:
    assert "There are no events." in told.flask("webhooks", "list").output
    id = event_of(told, Behaviour.FAIL)
    lines = told.flask("webhooks", "list").output.splitlines()
    name = told.simulator.receiver_url.removeprefix("http://")
    assert lines[0].endswith(
        f"  {name}  failing. Since 2026-01-31 12:00:00 UTC; its events are tried again."
        " Events that wait: 1."
    )
    assert lines[2] == f"2026-01-31 12:00:00  {id}  verification.approved  pending"
    assert lines[4].startswith("    1 try. It refused the event with HTTP status 500. Next try: ")
    assert "No event has failed." in told.flask("webhooks", "list", "--failed").output
    failed = event_of(told, Behaviour.GONE)
    said = told.flask("webhooks", "list", "--failed").output
    assert re.findall(r"msg_\w+", said) == [failed]
    assert len(re.findall("msg_", told.flask("webhooks", "list", "--limit", "1").output)) == 1


def test_without_webhooks_the_commands_say_what_to_set(harness: Harness) -> None:
    assert "Set WEBHOOK_URLS and WEBHOOK_SECRET" in harness.flask("webhooks", "list").output
    result = harness.flask("webhooks", "test")
    assert (result.exit_code, "Set WEBHOOK_URLS" in result.output) == (1, True)


def test_a_test_event_is_sent(told: Harness) -> None:
    said = told.flask("webhooks", "test").output
    assert said == f"1 test event will be sent {WHILE}.\n"
    told.run_once()
    (event,) = told.simulator.receiver.events()
    assert '"sentBy":"cli"' in event.body


def test_an_event_is_sent_again(told: Harness) -> None:
    id = event_of(told, Behaviour.ACCEPT)
    assert told.flask("webhooks", "resend", id).exit_code == 0
    told.run_once()
    assert told.simulator.receiver.events()[0].tries == 2
    result = told.flask("webhooks", "resend", "msg_none")
    assert (result.exit_code, "unknown_event: No event has this id" in result.output) == (1, True)


def test_all_that_failed_are_sent_again_once_the_endpoint_is_enabled(told: Harness) -> None:
    event_of(told, Behaviour.GONE)
    endpoint = endpoint_of(told)
    assert told.flask("webhooks", "enable", endpoint).output.startswith("Enabled. ")
    assert told.flask("webhooks", "enable", endpoint).output.endswith(" is not disabled.\n")
    unknown = told.flask("webhooks", "enable", "none")
    assert (unknown.exit_code, "unknown_endpoint: " in unknown.output) == (1, True)
    told.simulator.receiver.behaviour = Behaviour.ACCEPT
    resend = ("webhooks", "resend", "--failed-since")
    assert "No event has failed" in told.flask(*resend, "2026-01-31T12:01").output
    said = told.flask(*resend, "2026-01-31T12:00").output
    assert said == (
        "1 event will be sent again while a dispatcher runs and its endpoint is set and enabled.\n"
    )
    told.run_once()
    assert told.simulator.receiver.events()[0].is_accepted


@pytest.mark.parametrize("words", [(), ("msg_x", "--failed-since", "2026-01-31T12:00")])
def test_resend_takes_an_id_or_a_time(told: Harness, words: tuple[str, ...]) -> None:
    result = told.flask("webhooks", "resend", *words)
    assert (result.exit_code, "Name either the id" in result.output) == (2, True)
    result = told.flask("webhooks", "resend", "--failed-since", "yesterday")
    assert result.exit_code == 2


def test_a_command_that_shows_the_application_leaves_the_endpoints_alone(
    harness: Harness,
) -> None:
    url = "https://hooks.example.com/textback"
    harness.restart(WEBHOOK_URLS=url, WEBHOOK_SECRET="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    without = settings.read(environment(DATABASE_URL=harness.settings.database_url))
    create_app(without, serves=False)
    (endpoint,) = harness.store.read(webhook_endpoints.configured)
    assert endpoint.url == url
