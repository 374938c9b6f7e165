"""The word or sentence that pages and commands show for each enum value."""

from collections.abc import Collection

from bot.channels import sentences
from bot.domain.delivery import Delivery
from bot.domain.events import EventName
from bot.domain.ignored import IgnoreReason
from bot.domain.limits import LimitName
from bot.domain.operators import Action
from bot.domain.verification import FINISHED, Cause, Stage, Status
from bot.store.texts import TextState
from bot.usecases.overview import Period
from bot.usecases.search import By

DELIVERIES = {
    Delivery.ACCEPTED: "Twilio has it.",
    Delivery.SCHEDULED: "Twilio has it and sends it later.",
    Delivery.QUEUED: "It waits at Twilio.",
    Delivery.SENDING: "Twilio is handing it to the carrier.",
    Delivery.SENT: "The carrier has it.",
    Delivery.DELIVERED: "It was delivered to the phone.",
    Delivery.READ: "It was read.",
    Delivery.UNDELIVERED: "The carrier did not deliver it.",
    Delivery.FAILED: "Twilio could not send it.",
    Delivery.CANCELED: "It was canceled at Twilio.",
}

# Texts on their way to Twilio.
QUEUE_WORDS = {
    TextState.QUEUED: "Texts to be sent",
    TextState.SENDING: "Texts being sent",
    TextState.UNKNOWN: "Texts without a clear answer",
}


# One word for each status: of lists, filters and counts.
STATUS_WORDS = {
    Status.PENDING: "pending",
    Status.APPROVED: "approved",
    Status.EXPIRED: "expired",
    Status.MAX_ATTEMPTS_REACHED: "out of tries",
    Status.CANCELED: "canceled",
    Status.FAILED: "failed",
}

CAUSES = {
    Cause.ANSWERED: "answered",
    Cause.WINDOW_OVER: "not answered in time",
    Cause.ATTEMPTS_USED: "wrong codes",
    Cause.SUPERSEDED: "replaced by a newer start",
    Cause.TERMINATED: "canceled by a caller or operator",
    Cause.OPTED_OUT: "texted STOP",
    Cause.DISOWNED: "replied NO",
    Cause.SEND_REFUSED: "Twilio refused the text",
    Cause.SEND_GIVEN_UP: "Twilio did not take the text in time",
    Cause.SEND_UNKNOWN: "unknown whether Twilio took the text",
    Cause.NOT_DELIVERED: "text not delivered",
    Cause.KEY_RETIRED: "secret key removed",
}

_CAUSED_BY_ERROR = frozenset([Cause.SEND_REFUSED, Cause.NOT_DELIVERED])

PERIODS = {
    Period.TODAY: "Today",
    Period.LAST_24_HOURS: "24 hours",
    Period.LAST_7_DAYS: "7 days",
    Period.LAST_30_DAYS: "30 days",
}

# What each count means.
COUNT_MEANINGS = {
    EventName.STARTED: "Verifications begun in this time.",
    EventName.APPROVED: "Right codes that came in this time, whenever the verification began.",
    EventName.EXPIRED: "Ended in this time without the right code.",
    EventName.MAX_ATTEMPTS_REACHED: "Ended in this time by wrong codes.",
    EventName.CANCELED: "Ended in this time by a newer start, a caller, an operator, STOP or NO.",
    EventName.FAILED: "Ended in this time: the text could not be sent or delivered, or its secret"
    " key was removed.",
    "approval_rate": "Approved, of all that ended in this time and were not canceled.",
    "median": "Half of the right codes came no later than this after Twilio took the text.",
    "slow": "95 of 100 right codes came no later than this.",
    "texts_per_approval": "Texts requested in this time, resends included, for each approval.",
}

# The starts that each limit counts.
LIMITS = {
    LimitName.PER_NUMBER: "Starts of a number",
    LimitName.WRONG_PER_NUMBER: "Wrong codes of a number",
    LimitName.PER_COUNTRY: "Starts in a country",
    LimitName.PER_KEY: "Starts of a caller",
    LimitName.TOTAL: "All starts",
}

FOUND_BY = {
    By.NUMBER: "number",
    By.LAST_FOUR: "last four digits of the number",
    By.ERROR_CODE: "Twilio's error",
    By.REFERENCE: "reference",
    By.TAG: "tag",
    By.ID: "beginning of the id",
}

ACTIONS = {
    Action.SIGNED_IN: "signed in",
    Action.SIGN_IN_REFUSED: "sign-in refused: wrong key",
    Action.SIGNED_OUT: "signed out",
    Action.STARTED: "started a verification",
    Action.RESENT: "sent the text again",
    Action.CANCELED: "canceled a verification",
    Action.FORGOTTEN: "forgot a number",
    Action.LIMITS_CLEARED: "cleared the limits of a number",
    Action.OPT_OUT_CLEARED: "cleared the opt-out of a number",
    Action.ENDPOINT_ENABLED: "enabled a webhook endpoint",
    Action.EVENT_REPLAYED: "sent a webhook event again",
    Action.FAILED_EVENTS_REPLAYED: "sent failed webhook events again",
    Action.EVENTS_MOVED: "moved webhook events",
    Action.WEBHOOKS_TESTED: "sent a test event to the webhooks",
    Action.CLOCK_RESET: "reset the stored time",
}


STAGE_WORDS = {
    Stage.WAITING: "pending, not sent yet",
    Stage.RUNNING: "pending",
    Stage.SUSPENDED: "suspended",
    **{stage: STATUS_WORDS[Status(stage.value)] for stage in FINISHED},
}


def repeats_error_sentence(cause: str | None, error_code: int | None) -> bool:
    """Whether the stored reason only repeats the sentence of the error code. `cause` None: an entry
    of an earlier version, for which this holds."""
    is_caused_by_error = cause is None or cause in _CAUSED_BY_ERROR
    return is_caused_by_error and sentences.sentence(error_code) is not None


def delivery_in_words(word: str) -> str:
    return DELIVERIES[Delivery(word)] if word in frozenset(Delivery) else ""


def error_in_words(code: int | None, explained: Collection[int] = ()) -> str:
    """`explained`: codes whose sentence stands on the page already."""
    if code is None:
        return ""
    if code in explained:
        return f" Twilio's error {code}."
    return f" Twilio's error {code}: {sentences.with_advice(code)}"


IGNORED = {
    IgnoreReason.OTHER_CHANNEL: "It came over a channel that does not prove a phone line.",
    IgnoreReason.UNREADABLE_SENDER: "Its sender is not a phone number.",
    IgnoreReason.OTHER_RECIPIENT: (
        "It was sent to another number or Messaging Service of the account."
    ),
    IgnoreReason.NO_VERIFICATION: "No verification of this number waited for it.",
    IgnoreReason.BEFORE_ITS_START: (
        "It was read late, and is older than its number's current verification or keyword."
    ),
    IgnoreReason.TOO_LONG: "It is longer than a text can be.",
}
