"""The simulator's memory: an account, its number, messages, and who has texted STOP."""

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

# Countries for the list of geo permissions; initially all are on.
COUNTRIES = ("CA", "DE", "FR", "GB", "MX", "US")
STOP_WORDS = frozenset(
    ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"]
)
START_WORDS = frozenset(["START", "YES", "UNSTOP"])


def utc_now() -> datetime:
    return datetime.now(UTC)


def new_sid(prefix: str) -> str:
    return prefix + secrets.token_hex(16)


@dataclass(frozen=True)
class Account:
    sid: str
    auth_token: str
    secondary_token: str | None = None  # accepted too; signs nothing until it is promoted
    status: str = "active"  # suspended, closed
    type: str = "Full"  # Trial
    owner_sid: str | None = None  # of a subaccount: the main account
    has_test_credentials: bool = False  # the configured ones are Twilio's test credentials


@dataclass(frozen=True)
class ApiKey:
    """An API key. `rights`: the requests that a restricted key may make (`access.py`)."""

    sid: str
    secret: str
    rights: frozenset[str] | None = None  # None: a standard key, all but the account itself


@dataclass(frozen=True)
class Number:
    """A number of the account, or a short code, and where its texts are posted."""

    phone: str
    sid: str = field(default_factory=lambda: new_sid("PN"))
    sms_url: str = ""
    sms_method: str = "POST"
    application_sid: str = ""
    can_sms: bool = True
    toll_free_status: str | None = None  # of its verification, such as TWILIO_APPROVED

    @property
    def is_short_code(self) -> bool:
        return not self.phone.startswith("+")


@dataclass(frozen=True)
class Service:
    """A Messaging Service: at most one number, its other senders and its campaign."""

    sid: str
    number_sid: str  # empty: no number is in the pool
    uses_number_webhook: bool = True
    inbound_url: str = ""
    inbound_method: str = "POST"
    takes_fragments: bool = True  # of its webhook's address
    has_sticky_sender: bool = True
    names: tuple[str, ...] = ()  # alphanumeric senders
    names_by_country: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()  # such as rcs:contoso_agent
    campaign_status: str | None = None  # of its US campaign, such as VERIFIED
    brand_status: str = "APPROVED"


@dataclass(frozen=True)
class Message:
    sid: str
    direction: str  # inbound, outbound-api, outbound-reply
    sender: str
    recipient: str
    body: str
    created_at: datetime
    status: str
    status_callback: str = ""
    service_sid: str | None = None
    error_code: int | None = None
    is_erased: bool = False  # at Twilio; the phone keeps what it has


class World:
    """The whole state; many threads may use it."""

    def __init__(
        self, account: Account, number: Number, *, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._clock = clock
        self.account = account
        self.number = number
        self.service: Service | None = None
        self.api_keys: tuple[ApiKey, ...] = ()
        self.open_countries = frozenset(COUNTRIES)  # that texts may go to
        self._messages: list[Message] = []
        self._opted_out: set[str] = set()
        self._phones: list[str] = []
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return self._clock()

    @property
    def inbound_url(self) -> str:
        """The address that texts are posted to: a service decides for the number in its pool."""
        service = self.service
        if service is None or service.uses_number_webhook or not service.number_sid:
            return self.number.sms_url
        return service.inbound_url

    def configure_number(self, **changed: str) -> Number:
        with self._lock:
            self.number = replace(self.number, **changed)
            return self.number

    def configure_service(self, service: Service) -> None:
        with self._lock:
            self.service = service

    def outbound(
        self,
        *,
        recipient: str,
        body: str,
        direction: str = "outbound-api",
        status_callback: str = "",
        service_sid: str | None = None,
    ) -> Message:
        message = Message(
            sid=new_sid("SM"),
            direction=direction,
            sender=self.number.phone,
            recipient=recipient,
            body=body,
            created_at=self._clock(),
            status="queued",
            status_callback=status_callback,
            service_sid=service_sid,
        )
        return self._add(message, phone=recipient)

    def inbound(self, *, sender: str, body: str) -> Message:
        """A text from a phone. The opt-out keywords take effect here, as at Twilio."""
        word = body.strip().upper()
        with self._lock:
            if word in STOP_WORDS and not self.number.is_short_code:
                self._opted_out.add(sender)
            elif word in START_WORDS and not self.number.is_short_code:
                self._opted_out.discard(sender)
        message = Message(
            sid=new_sid("SM"),
            direction="inbound",
            sender=sender,
            recipient=self.number.phone,
            body=body,
            created_at=self._clock(),
            status="received",
            service_sid=self.service.sid if self.service else None,
        )
        return self._add(message, phone=sender)

    def add_phone(self, phone: str) -> bool:
        """Returns whether the phone is new."""
        with self._lock:
            is_new = phone not in self._phones
            if is_new:
                self._phones.append(phone)
            return is_new

    def leave_phones(self, phones: list[str]) -> None:
        """Keeps these phones and removes all others."""
        with self._lock:
            self._phones = list(phones)

    def has_opted_out(self, phone: str) -> bool:
        with self._lock:
            return phone in self._opted_out

    def set_status(self, sid: str, status: str, error_code: int | None = None) -> None:
        with self._lock:
            self._messages = [
                replace(m, status=status, error_code=error_code) if m.sid == sid else m
                for m in self._messages
            ]

    def erase(self, sid: str) -> None:
        with self._lock:
            self._messages = [
                replace(m, is_erased=True) if m.sid == sid else m for m in self._messages
            ]

    def message(self, sid: str) -> Message | None:
        return next((m for m in self.messages() if m.sid == sid), None)

    def messages(self) -> list[Message]:
        """Oldest first."""
        with self._lock:
            return list(self._messages)

    def of_phone(self, phone: str) -> list[Message]:
        return [m for m in self.messages() if phone in (m.sender, m.recipient)]

    def phones(self) -> list[str]:
        with self._lock:
            return list(self._phones)

    def _add(self, message: Message, *, phone: str) -> Message:
        self.add_phone(phone)
        with self._lock:
            self._messages.append(message)
        return message
