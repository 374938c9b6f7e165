"""People who operate the service, at the console or by commands, and their actions."""

from dataclasses import dataclass
from enum import StrEnum


class Via(StrEnum):
    CONSOLE = "console"
    COMMAND = "command"


# The callers whose starts operators' are; no key of a caller may have their names.
CONSOLE_CALLER, COMMAND_CALLER = "console", "cli"
OWN_CALLERS = frozenset([CONSOLE_CALLER, COMMAND_CALLER])


class Role(StrEnum):
    OPERATOR = "operator"  # looks and acts
    VIEWER = "viewer"  # looks


class Action(StrEnum):
    """Actions that the audit records. The values are stored."""

    SIGNED_IN = "signed_in"
    SIGN_IN_REFUSED = "sign_in_refused"  # a wrong key
    SIGNED_OUT = "signed_out"
    STARTED = "started"
    RESENT = "resent"
    CANCELED = "canceled"
    FORGOTTEN = "forgotten"
    LIMITS_CLEARED = "limits_cleared"
    OPT_OUT_CLEARED = "opt_out_cleared"
    ENDPOINT_ENABLED = "endpoint_enabled"
    EVENT_REPLAYED = "event_replayed"
    FAILED_EVENTS_REPLAYED = "failed_events_replayed"
    EVENTS_MOVED = "events_moved"
    WEBHOOKS_TESTED = "webhooks_tested"
    CLOCK_RESET = "clock_reset"

    @property
    def is_about_a_verification(self) -> bool:
        """Whether the action changes a verification (if it has any effect)."""
        return self in (Action.STARTED, Action.RESENT, Action.CANCELED)


@dataclass(frozen=True, slots=True)
class Operator:
    name: str  # of the console's key, or of the system's user
    via: Via
    role: Role = Role.OPERATOR
