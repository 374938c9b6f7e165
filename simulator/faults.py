"""Faults on request. Each applies to the next matching requests, a given number of times."""

import threading
from dataclasses import dataclass, field, replace
from typing import Any

# When a text is sent through the API:
DELAY = "delay"  # the answer takes `seconds` longer
REFUSE = "refuse"  # not taken, answered with Twilio's `code` (and `status`)
ERROR_BEFORE = "error_before"  # not taken, answered 500
ERROR_AFTER = "error_after"  # taken, answered 500
LOSE_ANSWER = "lose_answer"  # taken, the connection breaks before the answer
# When a list or a message is read:
LIST_ERROR = "list_error"  # answered 500
# When an inbound text is posted:
WEBHOOK_NEVER = "webhook_never"
WEBHOOK_TWICE = "webhook_twice"
WITHHOLD = "withhold"  # not posted; listed as failed with Twilio's `code`, its body gone
# When delivery reports are posted:
REPORTS_NEVER = "reports_never"
REPORTS_SHUFFLED = "reports_shuffled"
REPORT_ERROR = "report_error"  # undelivered, with Twilio's `code`

KINDS = frozenset(
    [DELAY, REFUSE, ERROR_BEFORE, ERROR_AFTER, LOSE_ANSWER, LIST_ERROR]
    + [WEBHOOK_NEVER, WEBHOOK_TWICE, WITHHOLD, REPORTS_NEVER, REPORTS_SHUFFLED, REPORT_ERROR]
)

# HTTP statuses of refusals that are not 400.
_STATUSES = {20003: 401, 20404: 404, 20429: 429, 21611: 429, 20500: 500, 20503: 503, 20504: 504}


@dataclass(frozen=True)
class Fault:
    kind: str
    times: int = 1
    phone: str | None = None  # only for this number
    seconds: float = 0.0
    code: int = 0
    status: int = field(default=0)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no such fault: {self.kind}; there are {', '.join(sorted(KINDS))}")
        if not isinstance(self.times, int) or self.times < 1:
            raise ValueError("times must be a whole number from 1")
        if not isinstance(self.seconds, int | float) or not 0 <= self.seconds <= 60:
            raise ValueError("seconds must be a number from 0 to 60")
        is_coded = self.kind in (REFUSE, REPORT_ERROR, WITHHOLD)
        if not isinstance(self.code, int) or (is_coded and not 10_000 <= self.code <= 99_999):
            raise ValueError("code must be one of Twilio's, such as 21614")

    @property
    def http_status(self) -> int:
        return self.status or _STATUSES.get(self.code, 400)


class Faults:
    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, kind: str, **more: Any) -> None:
        """Raises ValueError for an unknown kind."""
        with self._lock:
            self._waiting.append(Fault(kind, **more))

    def take(self, kind: str, phone: str | None) -> Fault | None:
        """Returns the fault of this kind that applies now, and counts one use of it."""
        with self._lock:
            for place, fault in enumerate(self._waiting):
                if fault.kind == kind and fault.phone in (None, phone):
                    left = [replace(fault, times=fault.times - 1)] if fault.times > 1 else []
                    self._waiting[place : place + 1] = left
                    return fault
        return None

    def waiting(self) -> list[Fault]:
        with self._lock:
            return list(self._waiting)

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()
