"""Whether the text of a verification may be sent once more. `decide` acts on this rule, and use
cases refuse requests by it."""

from datetime import datetime, timedelta
from enum import Enum

from bot.domain.verification import Verification

SHORTEST_INTERVAL = timedelta(seconds=15)  # shortest time between two texts; ignores double clicks
LEAST_TIME_LEFT = timedelta(seconds=30)  # of the window, so that the text can still be answered


class Resending(Enum):
    DUE = "due"
    # As if it were sent: a repeat of the request, or a text that is on its way or being looked up.
    ON_ITS_WAY = "on its way"
    TOO_LATE = "too late"
    USED = "used"  # all texts that its terms allow


def resending(v: Verification, now: datetime, *, is_unsettled: bool) -> Resending:
    """`is_unsettled`: for one of its texts it is not known whether Twilio accepted it."""
    if v.is_decided:
        return Resending.TOO_LATE
    if is_unsettled or now < (v.newest_send_at or v.created_at) + SHORTEST_INTERVAL:
        return Resending.ON_ITS_WAY
    if v.sends >= v.terms.max_sends:
        return Resending.USED
    return Resending.DUE if now <= v.deadline_at - LEAST_TIME_LEFT else Resending.TOO_LATE
