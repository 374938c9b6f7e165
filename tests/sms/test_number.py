"""`flask number check` and `flask number set`, of a number, a short code and a service."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result

from bot.channels.twilio import number
from bot.settings import Settings
from simulator.world import Service
from tests.harness import PHONE, Harness
from tests.harness import harness as open_harness

SERVICE = "MG" + "1f" * 16


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Harness]:
    more = {"TWILIO_PHONE_NUMBER": "", "TWILIO_MESSAGING_SERVICE_SID": SERVICE}
    with open_harness(tmp_path, **more) as made:
        world = made.simulator.world
        world.configure_service(Service(SERVICE, world.number.sid))
        yield made


def run(harness: Harness, *command: str) -> Result:
    return harness.flask("number", *command)


def service_of(harness: Harness) -> Service:
    service = harness.simulator.world.service
    assert service is not None
    return service


def test_set_says_what_it_changed_and_changes_nothing_twice(harness: Harness) -> None:
    world, wanted = harness.simulator.world, number.wanted_url(harness.settings)
    world.configure_number(sms_url="", sms_method="GET", application_sid="AP" + "1" * 32)
    before = run(harness, "check")
    assert before.exit_code == 1
    assert "the method is GET, it should be POST" in before.output
    first = run(harness, "set")
    assert first.exit_code == 0
    assert first.output.splitlines() == [
        f"Changed the webhook: from not set to {wanted}",
        "Changed the method: from GET to POST",
        f"Changed the TwiML app (it wins over the webhook): from AP{'1' * 32} to not set",
        f"Texts to the number are posted to {wanted}",
    ]
    assert run(harness, "set").output == f"Texts to the number are posted to {wanted}\n"
    assert (world.number.sms_url, world.number.sms_method) == (wanted, "POST")
    assert number.check(harness.settings) == number.Webhook(wanted, (), ())


def test_a_service_is_set_and_decides(served: Harness) -> None:
    wanted = number.wanted_url(served.settings)
    before = run(served, "check")
    assert before.exit_code == 1
    assert "the service uses the webhook of each sender, and that of +1425*****00" in before.output
    result = run(served, "set")
    assert result.exit_code == 0, result.output
    assert f"Changed the service's webhook: from not set to {wanted}" in result.output
    assert "Changed what the service uses: from the webhook of each sender" in result.output
    service = service_of(served)
    assert (service.inbound_url, service.inbound_method) == (wanted, "POST")
    assert service.uses_number_webhook is False
    again = run(served, "set")
    assert again.output == f"Texts to the Messaging Service are posted to {wanted}\n"
    assert run(served, "check").exit_code == 0


def test_a_reply_to_a_service_that_was_set_arrives(served: Harness) -> None:
    served.simulator.world.configure_number(sms_url="")
    run(served, "set")
    id = served.start_and_send()["id"]
    served.text(served.code())
    assert served.status(id)["output"] is True
    assert served.texts(PHONE)[-1].service_sid == SERVICE


def test_a_service_that_takes_no_fragment_is_set_without_one(served: Harness) -> None:
    served.simulator.world.configure_service(replace(service_of(served), takes_fragments=False))
    result = run(served, "set")
    assert result.exit_code == 0, result.output
    assert "Twilio does not repeat a reply that fails during a restart" in result.output
    assert service_of(served).inbound_url == number.wanted_url(served.settings).partition("#")[0]
    assert "Changed" not in run(served, "set").output


def test_a_short_code_is_set(harness: Harness) -> None:
    world = harness.simulator.world
    world.number = replace(world.number, phone="12345", sid="SC" + "1" * 32)
    settings = harness.settings.model_copy(update={"twilio_phone_number": "12345"})
    assert number.check(settings).faults
    webhook = number.set_webhook(settings)
    assert (webhook.faults, len(webhook.changes)) == ((), 1)
    assert world.number.sms_url == number.wanted_url(settings)


@pytest.mark.parametrize("ask", [number.check, number.set_webhook])
def test_what_cannot_be_read_is_said_in_plain_words_without_the_number(
    harness: Harness, served: Harness, ask: Callable[[Settings], object]
) -> None:
    def why(of: Harness, **changed: object) -> str:
        with pytest.raises(number.WebhookUnreadable) as caught:
            ask(of.settings.model_copy(update=changed))
        assert "+1425" not in str(caught.value)
        return str(caught.value)

    assert "no such Messaging Service. Check TWILIO_MESSAGING_SERVICE_SID" in why(
        served, twilio_messaging_service_sid="MG" + "2" * 32
    )
    assert "no such number. Check TWILIO_PHONE_NUMBER" in why(
        harness, twilio_phone_number="+14255550198"
    )
    assert "error 20003" in why(harness, twilio_auth_token=("wrong",))
    assert "error 20003" in why(
        harness, twilio_api_key_sid="SK" + "1f" * 16, twilio_api_key_secret="wrong"
    )
    assert "refuses the connection" in why(harness, twilio_api_base_url="http://127.0.0.1:9")


def test_a_service_that_decides_must_post(harness: Harness) -> None:
    world, wanted = harness.simulator.world, number.wanted_url(harness.settings)
    world.configure_number(sms_url=wanted)
    decides = Service(SERVICE, world.number.sid, uses_number_webhook=False, inbound_url=wanted)
    world.configure_service(replace(decides, inbound_method="GET"))
    checked = run(harness, "check")
    assert (checked.exit_code, f"posts replies to {wanted} by GET" in checked.output) == (1, True)
    world.configure_service(decides)
    world.configure_number(sms_url="https://old.example.net/hook")  # it is not used then
    for command in ("check", "set"):
        done = run(harness, command)
        assert (done.exit_code, done.output) == (0, f"Texts to the number are posted to {wanted}\n")
    assert world.number.sms_url == "https://old.example.net/hook"


def test_a_service_that_posts_elsewhere_is_a_fault(harness: Harness) -> None:
    world, wanted = harness.simulator.world, number.wanted_url(harness.settings)
    elsewhere = "https://old.example.net/hook"
    world.configure_number(sms_url=wanted)
    decides = Service(SERVICE, world.number.sid, uses_number_webhook=False, inbound_url=elsewhere)
    world.configure_service(decides)
    for command in ("check", "set"):
        done = run(harness, command)
        assert (done.exit_code, f"posts replies to {elsewhere}" in done.output) == (1, True)
        assert "Texts to the number are posted" not in done.output
