"""Refusals: exceptions with a code word for programs and a sentence for people.

A refusal is a regular answer, not a fault, and nothing was changed. Each face maps the classes to
its own HTTP statuses; the docstrings name the usual one (`http/errors.py`).
"""

from datetime import timedelta
from math import ceil

from bot.domain.limits import Limit


def retry_after(left: timedelta) -> int:
    """The whole seconds to wait, rounded up; 1 at least, since 0 would mean at once."""
    return max(1, ceil(left.total_seconds()))


class Refusal(Exception):
    """Base of all refusals. `code` is lower_snake_case and never changes once published."""

    code = "refused"

    def __init__(
        self, sentence: str, *, retry_after_seconds: int | None = None, limit: str | None = None
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.retry_after_seconds = retry_after_seconds
        self.limit = limit  # the one that was hit: LIMIT_PER_NUMBER=5/10 minutes


class InvalidNumber(Refusal):
    """400: the input cannot be a phone number."""

    code = "invalid_number"


class InvalidStart(Refusal):
    """400: a field of a start that is unknown or cannot be read."""

    code = "invalid_start"


class TextTooLong(Refusal):
    """400: with the caller's values, the text would take more segments than allowed."""

    code = "text_too_long"


class CannotReceiveTexts(Refusal):
    """400: a number that gets no texts, or our own."""

    code = "cannot_receive_texts"


class CountryNotAllowed(Refusal):
    """403: a number of a country that is not verified here."""

    code = "country_not_allowed"


class LimitReached(Refusal):
    """429: a limit on starts leaves no room now."""

    code = "limit_reached"

    def __init__(self, limit: Limit, retry_after_seconds: int) -> None:
        super().__init__(
            f"The limit {limit} is reached. Try again in {retry_after_seconds} seconds.",
            retry_after_seconds=retry_after_seconds,
            limit=str(limit),
        )
        self.limit_name = limit.name


class BreakerOpen(Refusal):
    """429: almost no text to this prefix or country was answered in the last hour."""

    code = "breaker_open"


class QueueTooLong(Refusal):
    """503: texts wait so long that the code would arrive too late."""

    code = "queue_too_long"


class SenderUnavailable(Refusal):
    """503: Twilio does not accept our credentials, so nothing can be sent."""

    code = "sender_unavailable"


class OptedOut(Refusal):
    """409: the number has texted STOP."""

    code = "opted_out"


class Disowned(Refusal):
    """409: the number's holder replied NO within the last day."""

    code = "disowned"


class StillCounting(Refusal):
    """503: earlier starts are not counted yet, so no limit can be enforced."""

    code = "still_counting"


class NumberBusy(Refusal):
    """409: another caller verifies this number now."""

    code = "number_busy"


class IdInUse(Refusal):
    """409: the id was used before."""

    code = "id_in_use"


class UnknownVerification(Refusal):
    """404: no verification has this id."""

    code = "unknown_verification"


class TooLateToResend(Refusal):
    """409: too little time is left to answer the code, or the verification is decided."""

    code = "too_late_to_resend"


class SendsUsed(Refusal):
    """429: the verification has had all its texts."""

    code = "sends_used"


class UnknownEndpoint(Refusal):
    """404: no webhook endpoint has this id."""

    code = "unknown_endpoint"


class EndpointChanged(Refusal):
    """409: the webhook endpoint was enabled or disabled since it was looked at."""

    code = "endpoint_changed"


class EndpointsUnfit(Refusal):
    """409: events move only from an endpoint that is no longer set to one that is."""

    code = "endpoints_unfit"


class UnknownEvent(Refusal):
    """404: no webhook event has this id."""

    code = "unknown_event"


class AlreadyFinished(Refusal):
    """410: the verification has an outcome, which is final."""

    code = "already_finished"


class StillRunning(Refusal):
    """412: the verification is still running and cannot be removed."""

    code = "still_running"
