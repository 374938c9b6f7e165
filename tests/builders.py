"""Values for tests, each in one line."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.code import Keyring
from bot.domain.effects import SendText
from bot.domain.verification import Cause, Outcome, Status, Terms, Verification
from bot.usecases.inbound_text import InboundText
from bot.usecases.rules import Rules
from bot.usecases.start import Start, StartRequest
from simulator.world import new_sid

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
PHONE = "+14255550123"
OTHER_PHONE = "+14255550199"
OUR_NUMBER = "+14255550100"
KEYRING = Keyring(["a secret key for tests"])
RULES = Rules(keyring=KEYRING, terms=Terms(), from_address=OUR_NUMBER)
TEXT = "Your verification code is {code}. Reply with just these 4 digits within 90 seconds. Ref KP"


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def verification(**more: Any) -> Verification:
    """A pending verification whose text was not tried yet."""
    created_at = more.pop("created_at", NOON)
    terms = more.pop("terms", Terms())
    made = Verification(
        id="an-id",
        phone=PHONE,
        country="US",
        started_by="function",
        caller_key=None,
        start_input=f'"{PHONE}"',
        request_id="a-request",
        reference="KP",
        nonce="00" * 16,
        key_id=KEYRING.current_id,
        challenge_text=TEXT,
        terms=terms,
        created_at=created_at,
        deadline_at=created_at + terms.send_within + terms.window,
    )
    return replace(made, **more)


def running(**more: Any) -> Verification:
    """A pending verification: Twilio took its text at noon, so its deadline is 90 seconds later."""
    window = {"first_try_at": NOON, "accepted_at": NOON, "deadline_at": NOON + seconds(90)}
    return verification(**{**window, **more})


HALF_A_MINUTE_ON = NOON + seconds(30)


CAUSES = {
    Status.APPROVED: Cause.ANSWERED,
    Status.EXPIRED: Cause.WINDOW_OVER,
    Status.MAX_ATTEMPTS_REACHED: Cause.ATTEMPTS_USED,
    Status.CANCELED: Cause.TERMINATED,
    Status.FAILED: Cause.SEND_REFUSED,
}


def outcome(status: Status, at: datetime, **more: Any) -> Outcome:
    return Outcome(status, at, **{"cause": CAUSES[status], **more})


def ended(status: Status, *, at: datetime = HALF_A_MINUTE_ON, **more: Any) -> Verification:
    attempts = 4 if status is Status.MAX_ATTEMPTS_REACHED else 0
    return running(**{"attempts": attempts, "outcome": outcome(status, at), **more})


def request(**more: Any) -> StartRequest:
    return replace(StartRequest("function", "a-request", f'"{PHONE}"'), **more)


def start(**more: Any) -> Start:
    """`started_by`, `idempotency_key` and the like go into its request."""
    of_request = set(StartRequest.__slots__) - {"id"}
    asked = {name: more.pop(name) for name in of_request & more.keys()}
    made = Start(
        id=new_sid("")[:32],
        phone=PHONE,
        country="US",
        request=request(**asked),
        nonce="00" * 16,
        reference="KP",
        challenge_text=TEXT,
        text=SendText(new_sid("")[:24], OUR_NUMBER, "en"),
    )
    return replace(made, **more)


def new_text(id: str, **more: Any) -> SendText:
    return replace(SendText(id, OUR_NUMBER, "en"), **more)


def code_of(v: Verification | Start) -> str:
    """The code; of a start by RULES."""
    if isinstance(v, Verification):
        return KEYRING.code_of(v)
    return KEYRING.code(key_id=KEYRING.current_id, nonce=v.nonce, length=RULES.terms.code_length)


def wrong_code(code: str, nth: int = 1) -> str:
    """Another code of the same length; another one for each `nth` from 1 to 9."""
    return str((int(code) + nth) % 10 ** len(code)).zfill(len(code))


def inbound(body: str, **more: Any) -> InboundText:
    made = InboundText(message_sid=new_sid("SM"), phone=PHONE, from_address=OUR_NUMBER, body=body)
    return replace(made, **more)
