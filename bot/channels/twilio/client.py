"""Twilio's REST API through its own library, with a timeout, and answers sorted by meaning.

The library raises its own errors for answers of the API, and urllib3's for failed connections
(`http.py`). If nothing of the request was written, no text was sent; otherwise Twilio may have the
text, so the outcome is unknown.
"""

import importlib
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
from typing import Any

from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.rest import Client
from urllib3 import exceptions as urllib3_errors

from bot.channels.gateway import (
    Accepted,
    ChannelUnavailable,
    Conversation,
    Direction,
    ListedMessage,
    NotForUs,
    Postponed,
    ReceivedText,
    Refused,
    SendResult,
    SentMessage,
    Unknown,
)
from bot.channels.twilio import addresses, errors
from bot.channels.twilio.error_codes import Kind
from bot.channels.twilio.exceptions import (
    NO_MESSAGE,
    REFUSALS,
    UNREADABLE,
    describe,
    http_status,
    twilio_code,
)
from bot.channels.twilio.http import PooledHttpClient
from bot.channels.twilio.listed_messages import FIRST, LAST, created_at, is_readable, may_be_ours
from bot.domain.characters import comparable, letters_of_words
from bot.settings import Settings

log = logging.getLogger(__name__)

# A look-up accepts messages this much older than our first try: Twilio's clock and timestamps have
# whole seconds, and an answer takes time.
CLOCK_SLACK = timedelta(seconds=5)
STAMP_SLACK = timedelta(seconds=2)  # of two stamps in whole seconds
_DIRECTIONS = {"inbound": Direction.REPLY, "outbound-reply": Direction.ANSWER}
# By a message's sid. In use by GoAlert (notification/twilio); not seen in a live account.
_LOG = "https://www.twilio.com/console/sms/logs/"
NEWEST = 50  # messages of one number that a look reads


def client(
    settings: Settings, *, token: str | None = None, http_client: PooledHttpClient | None = None
) -> Client:
    """Twilio's client for these settings. Create it after the fork; many threads may use it.
    `token`: use this auth token instead of the credentials that send texts."""
    http_client = http_client or PooledHttpClient(
        settings.twilio_api_base_url,
        timeout=settings.twilio_timeout_seconds,
        connections=settings.send_concurrency,
    )
    by_key = settings.twilio_api_key_sid if token is None else None
    return Client(
        by_key or settings.twilio_account_sid,
        token or (by_key and settings.twilio_api_key_secret) or settings.twilio_auth_token[0],
        account_sid=settings.twilio_account_sid,
        region=settings.twilio_region,
        edge=settings.twilio_edge,
        http_client=http_client,
    )


class TwilioGateway:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.client = client(settings)
        self._reports_url = f"{settings.public_base_url}/twilio/status/"
        self._from = (
            {"messaging_service_sid": settings.twilio_messaging_service_sid}
            if settings.twilio_messaging_service_sid
            else {"from_": settings.twilio_phone_number}
        )

    def send(
        self, *, to: str, body: str, validity_seconds: int, text_id: str, until: float
    ) -> SendResult:
        http = self.client.http_client
        http.until(until)
        try:
            message = self.client.messages.create(
                to=to,
                body=body,
                validity_period=validity_seconds,
                status_callback=self._reports_url + text_id,
                **self._from,
            )
        except REFUSALS as error:
            return self._refusal(error)
        except urllib3_errors.HTTPError as error:
            return Unknown(describe(error)) if http.was_written else Postponed(None)
        except (TwilioException, *NO_MESSAGE) as error:
            return Unknown(type(error).__name__)  # an unreadable answer
        return Accepted(message.sid) if message.sid else Unknown("an answer without a sid")

    def prepare(self) -> None:
        """The library imports this at its first call, and takes a quarter of a second for it."""
        importlib.import_module("twilio.rest.api")

    def check(self) -> None:
        with _asking(passes=403):  # a key may be known and yet not be allowed to list
            self.client.messages.list(limit=1, page_size=1)

    def find_sent(
        self, *, to: str, body: str, tried_ago: timedelta, sid: str | None
    ) -> list[SentMessage]:
        began = time.monotonic()
        with _asking():
            if sid is not None:
                messages = [self.client.messages(sid).fetch()]
            else:
                messages = list(chain.from_iterable(self._newest_to(to)))
        now = self._now()
        oldest = tried_ago + timedelta(seconds=time.monotonic() - began) + CLOCK_SLACK
        wanted = letters_of_words(comparable(body))
        ours = [
            SentMessage(message.sid, now - created_at(message, now - tried_ago))
            for message in messages
            if message.sid == sid or may_be_ours(message, wanted, now - oldest)
        ]
        return sorted(ours, key=lambda message: message.age, reverse=True)

    def _newest_to(self, number: str, **filters: Any) -> list[list[Any]]:
        """A list for each address under which Twilio may have our texts to a number."""
        listing = partial(self.client.messages.list, limit=NEWEST, page_size=NEWEST, **filters)
        to = addresses.receivers_of(number, is_of_service=not self._is_number)
        return [listing(to=address) for address in to]

    def _now(self) -> datetime:
        """The time of Twilio's last answer, by the clock that its timestamps use."""
        return self.client.http_client.date or datetime.now(UTC)

    def conversation(
        self, phone: str, *, began_ago: timedelta, ended_ago: timedelta | None
    ) -> Conversation:
        listing = self.client.messages.list
        ours = {"from_": self._settings.twilio_phone_number} if self._is_number else {}
        theirs = {"to": self._settings.twilio_phone_number} if self._is_number else {}
        with _asking():
            lists = self._newest_to(phone, **ours)
            for sender in addresses.senders_of(phone, is_of_service=not self._is_number):
                lists.append(listing(from_=sender, limit=NEWEST, page_size=NEWEST, **theirs))
        now = self._now()
        first = now - began_ago - CLOCK_SLACK
        last = datetime.max.replace(tzinfo=UTC) if ended_ago is None else now - ended_ago
        messages = [
            ListedMessage(
                sid=message.sid,
                direction=_DIRECTIONS.get(message.direction, Direction.TEXT),
                status=message.status,
                error_code=int(message.error_code) if message.error_code else None,
                at=message.date_created.astimezone(UTC),
            )
            for message in chain.from_iterable(lists)
            if first <= created_at(message, FIRST) <= last and self._is_of_service(message)
        ]
        is_whole = all(
            len(found) < NEWEST or created_at(found[-1], LAST) < first for found in lists
        )
        return Conversation(sorted(messages, key=lambda message: message.at), is_whole)

    def log_address(self, sid: str) -> str | None:
        return None if self._settings.twilio_api_base_url else f"{_LOG}{sid}"

    def erase(self, sid: str) -> None:
        with _asking(passes=404):  # it is gone already, so nothing is left to erase
            self.client.messages(sid).update(body="")

    def received_since(self, ago: timedelta) -> Iterator[ReceivedText | NotForUs]:
        number = self._settings.twilio_phone_number
        filters = {"to": number} if number else {}
        with _asking():
            began = time.monotonic()
            self.check()  # its answer tells the time at Twilio
            took = timedelta(seconds=time.monotonic() - began)
            first = self._now() - ago - took - STAMP_SLACK
            for message in self.client.messages.stream(
                date_sent_after=first, page_size=1000, **filters
            ):
                is_for_us = message.direction == "inbound" and self._is_of_service(message)
                # Twilio also lists replies that it withheld, but their bodies are empty.
                if not is_for_us or message.status == "failed":
                    continue
                if is_readable(message):
                    yield self._received(message)
                else:
                    log.warning("a message in Twilio's list cannot be read: %r", message.sid)

    def _received(self, message: Any) -> ReceivedText | NotForUs:
        theirs = message.from_ or ""
        phone = addresses.phone_of(theirs, is_of_service=not self._is_number)
        if phone is None:
            masked = addresses.masked(theirs)
            return NotForUs(message.sid, addresses.reason_to_ignore(theirs), masked)
        # The two stamps may be of different machines at Twilio.
        age = max(timedelta(0), self._now() - message.date_sent.astimezone(UTC))
        is_to_short_code = addresses.is_short_code(message.to or "")
        return ReceivedText(message.sid, phone, message.body or "", age, is_to_short_code)

    @property
    def _is_number(self) -> bool:
        return self._settings.twilio_phone_number is not None

    def _is_of_service(self, message: Any) -> bool:
        """Whether our service got the message. If we use a number, the list has no others."""
        service = self._settings.twilio_messaging_service_sid
        return service is None or message.messaging_service_sid == service

    def _refusal(self, error: TwilioRestException | TwilioServiceException) -> SendResult:
        code, status = twilio_code(error), http_status(error) or 0
        # A 401 is about the credentials, whatever its code says, or if it has none.
        meant = errors.CREDENTIALS if status == 401 else code or 0
        known = errors.at_send(meant, status)
        # Only a 4xx means that nothing was sent: an acceptance may follow a 103, for example.
        if not 400 <= status < 500 or status == 408 or known.kind is Kind.PASSING:
            return Unknown(f"{status} {code or ''}".strip(), code)
        if status == 429 or known.kind is Kind.LIMIT:
            return Postponed(code, self.client.http_client.retry_after_seconds)
        return Refused(code, known.sentence, errors.blame(meant, known))


@contextmanager
def _asking(*, passes: int | None = None) -> Iterator[None]:
    """Raises ChannelUnavailable instead of the library's errors, except for an answer of Twilio's
    with the HTTP status `passes`."""
    try:
        yield
    except UNREADABLE as error:
        if passes is None or http_status(error) != passes or twilio_code(error) is None:
            raise ChannelUnavailable(describe(error)) from None
