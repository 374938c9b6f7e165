"""Whether the service can do its work, in sentences."""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.usecases.readiness import Fault

# Faults, each with its remedy.
FAULTS = {
    Fault.STORE: "The database cannot be read or written.",
    Fault.DISPATCHER: "Work is overdue: no dispatcher runs, or it is stuck.",
    Fault.CLOCK: "Stored time is ahead of the clock, because a clock was ahead earlier. Time"
    " windows and limits still work; nothing old is removed. docs/operations.md, under Clocks, says"
    " how to fix it.",
    Fault.SET_ASIDE: "Rows of the database cannot be read and are skipped. The log names them;"
    " repair or remove them and restart.",
    Fault.TWILIO_CREDENTIALS: "Twilio does not accept these credentials. Check TWILIO_ACCOUNT_SID"
    " and TWILIO_AUTH_TOKEN, or the API key. Sending resumes when Twilio accepts them.",
    Fault.WEBHOOK_ENDPOINT: "A webhook endpoint is disabled, so its events wait. Fix the receiver,"
    " then enable the endpoint in the console or with flask webhooks enable.",
}

_GOOD = {
    Fault.DISPATCHER: "Nothing is overdue.",
    Fault.CLOCK: "Stored time agrees with the clock.",
    Fault.SET_ASIDE: "All rows can be read.",
    Fault.TWILIO_CREDENTIALS: "Twilio accepts our credentials.",
}


@dataclass(frozen=True, slots=True)
class Indicator:
    fault: Fault
    is_good: bool
    sentence: str


def indicators(found: Iterable[Fault]) -> list[Indicator]:
    """One indicator for each fault that a page shows. There is one for disabled webhook endpoints
    only while an endpoint is disabled."""
    wrong = frozenset(found)
    shown = [*_GOOD, *([Fault.WEBHOOK_ENDPOINT] if Fault.WEBHOOK_ENDPOINT in wrong else [])]
    return [
        Indicator(fault, fault not in wrong, FAULTS[fault] if fault in wrong else _GOOD[fault])
        for fault in shown
    ]
