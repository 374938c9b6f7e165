"""The senders that Twilio has: a number, a short code, a Messaging Service and its pool."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bot.channels.twilio import errors
from bot.channels.twilio.questions import Questions, Unanswered, Why
from bot.domain import phone

PAGE = 1000  # rows of one request
MOST_SENDERS = 400  # of a pool; Twilio allows that many numbers
MOST_SERVICES = 200  # of an account
FETCHED_SINGLY = 20  # senders whose own webhook is read, one question each; more from one list


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

    def receivers(self, questions: Questions) -> Iterator[Any]:
        """Numbers and short codes with their own webhooks. Raises Unanswered."""
        account = questions.client
        for members, listing in (
            (self.numbers, account.incoming_phone_numbers),
            (self.short_codes, account.short_codes),
        ):
            sids = dict.fromkeys(one.sid for one in members)
            if len(sids) > FETCHED_SINGLY:
                for one in _all(questions, listing, most=None):
                    if one.sid in sids:
                        del sids[one.sid]
                        yield one
            for sid in sids:
                yield questions.ask(listing(sid).fetch)

    @staticmethod
    def shown(found: Any) -> str:
        return phone.masked(getattr(found, "phone_number", None) or found.short_code)


def sender(questions: Questions) -> Any:
    """The number or short code of the settings. Raises Unanswered."""
    address = questions.settings.twilio_phone_number or ""
    if address.startswith("+"):
        listing = questions.client.incoming_phone_numbers.list
        # Twilio's filter also matches numbers that only contain this one.
        found = questions.ask(lambda: listing(phone_number=address, limit=20, page_size=20))
        fitting = [one for one in found if one.phone_number == address]
    else:
        codes = questions.client.short_codes.list
        found = questions.ask(lambda: codes(short_code=address, limit=20, page_size=20))
        fitting = [one for one in found if one.short_code == address]
    if not fitting:
        raise Unanswered(Why.NOT_FOUND, "This account has no such number.", errors.NOT_FOUND)
    return fitting[0]


def service_of(questions: Questions) -> Any:
    """The service of the settings. Raises Unanswered."""
    sid = questions.settings.twilio_messaging_service_sid
    return questions.ask(questions.client.messaging.v1.services(sid).fetch)


def services_with(questions: Questions, sender_sid: str) -> Iterator[Any]:
    """Services that have a number or short code in their pool. Raises Unanswered, also if none of
    MOST_SERVICES has it and there may be more."""
    v1 = questions.client.messaging.v1
    found = _all(questions, v1.services, most=MOST_SERVICES)
    is_found = False
    of_codes = not (questions.settings.twilio_phone_number or "").startswith("+")
    for service in found:
        pool = v1.services(service.sid)
        members = pool.short_codes if of_codes else pool.phone_numbers
        if any(one.sid == sender_sid for one in _all(questions, members)):
            is_found = True
            yield service
    if len(found) == MOST_SERVICES and not is_found:
        raise Unanswered(
            Why.REFUSED,
            f"The account has more Messaging Services than the {MOST_SERVICES} that were read.",
        )


def pool_of(questions: Questions, sid: str) -> SenderPool:
    """Raises Unanswered."""
    pool = questions.client.messaging.v1.services(sid)
    return SenderPool(
        numbers=_all(questions, pool.phone_numbers),
        short_codes=_all(questions, pool.short_codes),
        names=_all(questions, pool.alpha_senders) + _all(questions, pool.destination_alpha_senders),
        channels=_all(questions, pool.channel_senders),
    )


def _all(questions: Questions, listing: Any, *, most: int | None = MOST_SENDERS) -> list[Any]:
    """`most` None: without a bound of ours."""
    found: list[Any] = questions.ask(lambda: listing.list(limit=most, page_size=most or PAGE))
    return found


def _channel(one: Any) -> str:
    """`rcs` of rcs:brand_agent."""
    return str(one.sender or "").partition(":")[0].lower()
