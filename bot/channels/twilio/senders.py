"""The senders that Twilio has: a number, a short code, a Messaging Service and its pool."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bot.channels.twilio import errors
from bot.channels.twilio.questions import Questions, Unanswered, Why
from bot.domain import phone

MOST_SENDERS = 400  # of a pool; Twilio allows that many numbers
MOST_SERVICES = 50
MOST_LOOKED_AT = 20  # senders whose own webhook is read, one question each


@dataclass(frozen=True, slots=True)
class SenderPool:
    """The senders of a service, of each kind."""

    numbers: list[Any] = field(default_factory=list)
    short_codes: list[Any] = field(default_factory=list)
    names: list[Any] = field(default_factory=list)  # made of letters: they receive no replies
    channels: list[Any] = field(default_factory=list)  # RCS, WhatsApp, Messenger

    @property
    def rcs(self) -> list[Any]:
        return [one for one in self.channels if _channel(one) == "rcs"]

    @property
    def others(self) -> list[str]:
        """Channels whose replies prove no line, and are ignored."""
        return sorted({_channel(one) for one in self.channels} - {"rcs"})

    @property
    def can_receive(self) -> bool:
        return bool(self.numbers or self.short_codes or self.rcs)

    def receivers(self, asked: Questions) -> Iterator[Any]:
        """Numbers and short codes with their own webhooks. Raises Unanswered."""
        account = asked.client
        for one in self.numbers[:MOST_LOOKED_AT]:
            yield asked.ask(account.incoming_phone_numbers(one.sid).fetch)
        for one in self.short_codes[:MOST_LOOKED_AT]:
            yield asked.ask(account.short_codes(one.sid).fetch)

    @staticmethod
    def shown(found: Any) -> str:
        return phone.masked(getattr(found, "phone_number", None) or found.short_code)


def sender(asked: Questions) -> Any:
    """The number or short code of the settings. Raises Unanswered."""
    address = asked.settings.twilio_phone_number or ""
    if address.startswith("+"):
        listing = asked.client.incoming_phone_numbers.list
        # Twilio's filter also matches numbers that only contain this one.
        found = asked.ask(lambda: listing(phone_number=address, limit=20, page_size=20))
        fitting = [one for one in found if one.phone_number == address]
    else:
        codes = asked.client.short_codes.list
        found = asked.ask(lambda: codes(short_code=address, limit=20, page_size=20))
        fitting = [one for one in found if one.short_code == address]
    if not fitting:
        raise Unanswered(Why.UNKNOWN, "This account has no such number.", errors.NOT_FOUND)
    return fitting[0]


def service_of(asked: Questions) -> Any:
    """The service of the settings. Raises Unanswered."""
    sid = asked.settings.twilio_messaging_service_sid
    return asked.ask(asked.client.messaging.v1.services(sid).fetch)


def services_with(asked: Questions, sender_sid: str) -> Iterator[Any]:
    """Services that have a number or short code in their pool. Raises Unanswered."""
    v1 = asked.client.messaging.v1
    found = asked.ask(lambda: v1.services.list(limit=MOST_SERVICES, page_size=MOST_SERVICES))
    of_codes = not (asked.settings.twilio_phone_number or "").startswith("+")
    for service in found:
        pool = v1.services(service.sid)
        members = pool.short_codes if of_codes else pool.phone_numbers
        if any(one.sid == sender_sid for one in _all(asked, members)):
            yield service


def pool_of(asked: Questions, sid: str) -> SenderPool:
    """Raises Unanswered."""
    pool = asked.client.messaging.v1.services(sid)
    return SenderPool(
        numbers=_all(asked, pool.phone_numbers),
        short_codes=_all(asked, pool.short_codes),
        names=_all(asked, pool.alpha_senders) + _all(asked, pool.destination_alpha_senders),
        channels=_all(asked, pool.channel_senders),
    )


def _all(asked: Questions, listing: Any) -> list[Any]:
    found: list[Any] = asked.ask(lambda: listing.list(limit=MOST_SENDERS, page_size=MOST_SENDERS))
    return found


def _channel(one: Any) -> str:
    """`rcs` of rcs:brand_agent."""
    return str(one.sender or "").partition(":")[0].lower()
