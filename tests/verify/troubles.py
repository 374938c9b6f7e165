"""How each refusal of the face comes about."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.store.tx import StoreUnavailable
from tests.harness import ACCOUNT, PHONE, SYSTEM_KEY
from tests.verify.conftest import Verify, client_of

OTHER = "+14255550124"


@dataclass(frozen=True)
class Trouble:
    status: int
    code: int
    bring_about: Callable[[Verify], Any]  # its last request is refused
    settings: dict[str, str] = field(default_factory=dict)
    limit: str | None = None
    retried: tuple[int, ...] = ()  # further statuses with Retry-After


def _opted_out(verify: Verify) -> None:
    verify.harness.text("STOP")
    verify.create()


def _disowned(verify: Verify) -> None:
    verify.create_and_send()
    verify.harness.text("NO")
    verify.create()


def _breaker(verify: Verify) -> None:
    for number in range(200, 205):
        verify.create_and_send(f"+1425555{number:04}")
    verify.harness.forward(1000)
    for number in range(210, 213):  # the first of them is a probe
        verify.create_and_send(f"+1425555{number:04}")


def _busy(verify: Verify) -> None:
    verify.harness.start(key=SYSTEM_KEY)
    verify.create()


def _sends_used(verify: Verify) -> None:
    for _ in range(6):
        verify.create_and_send()
        verify.harness.forward(15)


def _too_late(verify: Verify) -> None:
    verify.create_and_send()
    verify.harness.forward(571)
    verify.create()


def _started_too_often(verify: Verify) -> None:
    for _ in range(3):
        verify.create_and_send()
        verify.harness.forward(700)


def _checks_used(verify: Verify) -> None:
    verify.create_and_send()
    verify.use_attempts()
    verify.check(verify.harness.code())


def _wrong_too_often(verify: Verify) -> None:
    verify.create_and_send()
    verify.check(verify.harness.wrong())
    verify.harness.forward(700)
    verify.create()


def _started_in_all(verify: Verify) -> None:
    verify.create(PHONE)
    verify.create(OTHER)


def _still_counting(verify: Verify) -> None:
    with verify.harness.service.admission.follower.lock:  # type: ignore[union-attr]
        verify.create()


def _queue_too_long(verify: Verify) -> None:
    verify.create(PHONE)
    verify.harness.clock.forward(301)
    verify.create(OTHER)


def _sender_unavailable(verify: Verify) -> None:
    verify.harness.service.gateway.client.auth = (ACCOUNT.sid, "wrong")  # type: ignore[attr-defined]
    verify.create_and_send(PHONE)
    verify.create(OTHER)


def _store_unavailable(verify: Verify) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("away")

    verify.harness.store.write = away  # type: ignore[method-assign]
    verify.create()


def _fault(verify: Verify) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("a fault")

    verify.harness.store.write = broken  # type: ignore[method-assign]
    verify.create()


def _with_key(key: str, verify: Verify) -> None:
    client_of(verify.harness.url, key).verify.v2.services(verify.sid).verifications(PHONE).fetch()


def _rates(verify: Verify) -> None:
    verify.service.rate_limits.create(unique_name="ip")


TROUBLES = {
    "a wrong password": Trouble(401, 20003, lambda verify: _with_key("not-a-key", verify)),
    "another service": Trouble(
        404, 20404, lambda verify: verify.client.verify.v2.services("VA" + "0" * 32).fetch()
    ),
    "an unknown path": Trouble(404, 20404, _rates),
    "a method there is not": Trouble(404, 20404, lambda verify: verify.service.delete()),
    "a resource there is not": Trouble(
        404, 20404, lambda verify: verify.service.entities("person-1").fetch()
    ),
    "nothing to check": Trouble(404, 20404, lambda verify: verify.check("123456")),
    "no number": Trouble(400, 60200, lambda verify: verify.create("nonsense")),
    "a number without texts": Trouble(403, 60205, lambda verify: verify.create("+18005551212")),
    "another channel": Trouble(400, 60223, lambda verify: verify.create(channel="whatsapp")),
    "a channel there is not": Trouble(400, 60200, lambda verify: verify.create(channel="auto")),
    "a country": Trouble(
        403, 60605, lambda verify: verify.create("+33612345678"), {"ALLOWED_COUNTRIES": "US"}
    ),
    "the circuit breaker": Trouble(
        403, 60410, _breaker, {"BREAKER_TEXTS_PER_PREFIX": "5"}, retried=(403,)
    ),
    "an opt-out": Trouble(403, 21610, _opted_out),
    "a NO": Trouble(403, 21610, _disowned, retried=(403,)),
    "a long name": Trouble(400, 60200, lambda verify: verify.create(custom_friendly_name="Ж" * 32)),
    "another key": Trouble(429, 60212, _busy, limit="number_busy"),
    "all texts sent": Trouble(429, 60203, _sends_used, limit="MAX_SENDS"),
    "too late": Trouble(429, 60203, _too_late, limit="too_late_to_resend"),
    "starts of a number": Trouble(
        429,
        60203,
        _started_too_often,
        {"LIMIT_PER_NUMBER": "2/day"},
        "LIMIT_PER_NUMBER",
    ),
    "all codes given": Trouble(429, 60202, _checks_used, limit="MAX_ATTEMPTS"),
    "wrong codes of a number": Trouble(
        429, 60202, _wrong_too_often, {"LIMIT_WRONG_PER_NUMBER": "1/day"}, "LIMIT_WRONG_PER_NUMBER"
    ),
    "starts of a key": Trouble(
        429, 20429, _started_in_all, {"LIMIT_PER_KEY": "1/hour"}, "LIMIT_PER_KEY"
    ),
    "starts of a country": Trouble(
        429, 20429, _started_in_all, {"LIMIT_PER_COUNTRY": "1/hour"}, "LIMIT_PER_COUNTRY"
    ),
    "starts in all": Trouble(429, 20429, _started_in_all, {"LIMIT_TOTAL": "1/hour"}, "LIMIT_TOTAL"),
    "still counting": Trouble(503, 20503, _still_counting),
    "a queue": Trouble(503, 20503, _queue_too_long, {"SEND_WITHIN_SECONDS": "600"}),
    "credentials": Trouble(503, 20503, _sender_unavailable),
    "a database that is away": Trouble(503, 20503, _store_unavailable),
    "a large body": Trouble(413, 20413, lambda verify: verify.create(tags="x" * 70_000)),
    "a fault": Trouble(500, 20500, _fault),
}
