"""Refusals: what a caller may not do, each with a word for programs and a sentence for people.

A refusal is an answer, not a fault: whoever raises it has changed nothing. Faces turn the class
into a status of their own (`faces/durable/payloads.py` has the table).
"""


class Refusal(Exception):
    """Base of all refusals. `code` is lower_snake_case and never changes once published."""

    code = "refused"

    def __init__(
        self, sentence: str, *, retry_after_seconds: int | None = None, limit: str | None = None
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.retry_after_seconds = retry_after_seconds
        self.limit = limit  # the one that was hit, as it is set


class Unauthorized(Refusal):
    """No key, or one that is not known."""

    code = "unauthorized"


class Forbidden(Refusal):
    """A key that is known, for something else; or a webhook that is not Twilio's."""

    code = "forbidden"


class InvalidJson(Refusal):
    code = "invalid_json"


class UnsupportedMedia(Refusal):
    code = "unsupported_media_type"


class InvalidNumber(Refusal):
    code = "invalid_number"


class CannotReceiveTexts(Refusal):
    code = "cannot_receive_texts"


class CountryNotAllowed(Refusal):
    code = "country_not_allowed"


class LimitReached(Refusal):
    """A limit on starts leaves no room now."""

    code = "limit_reached"

    def __init__(self, limit: str, retry_after_seconds: int) -> None:
        super().__init__(
            f"The limit {limit} is reached. Try again in {retry_after_seconds} seconds.",
            retry_after_seconds=retry_after_seconds,
            limit=limit,
        )


class BreakerOpen(Refusal):
    code = "breaker_open"


class QueueTooLong(Refusal):
    code = "queue_too_long"


class SenderUnavailable(Refusal):
    code = "sender_unavailable"


class OptedOut(Refusal):
    code = "opted_out"


class KeyReplaced(Refusal):
    """A restart by a link whose caller's key is not configured any more."""

    code = "key_replaced"


class StillCounting(Refusal):
    """The starts of before are not counted yet, so no limit can be kept."""

    code = "still_counting"


class NumberBusy(Refusal):
    code = "number_busy"


class InvalidId(Refusal):
    code = "invalid_id"


class IdInUse(Refusal):
    code = "id_in_use"


class InvalidAnswer(Refusal):
    code = "invalid_answer"


class InvalidEventName(Refusal):
    code = "invalid_event_name"


class InvalidReason(Refusal):
    """A reason that is a placeholder taken literally, or too long to keep."""

    code = "invalid_reason"


class InvalidIdempotencyKey(Refusal):
    code = "invalid_idempotency_key"


class UnknownFunction(Refusal):
    code = "unknown_function"


class UnknownVerification(Refusal):
    code = "unknown_verification"


class AlreadyFinished(Refusal):
    code = "already_finished"


class StillRunning(Refusal):
    code = "still_running"


class UnknownInstance(Refusal):
    """The restart of an instance that is not there, which the API answers with 400."""

    code = "unknown_instance"


class InvalidWait(Refusal):
    code = "invalid_wait"


class InvalidToken(Refusal):
    code = "invalid_continuation_token"


class MissingCreatedTimeFrom(Refusal):
    code = "missing_created_time_from"


class InvalidFilter(Refusal):
    """A filter of a removal that is not understood: read otherwise, it would remove more."""

    code = "invalid_filter"


class InvalidWebhook(Refusal):
    code = "invalid_webhook"
