"""What an endpoint of outcome webhooks answered to one try."""

from dataclasses import dataclass
from enum import StrEnum


class WebhookResult(StrEnum):
    """The result of a try. The values are stored."""

    DELIVERED = "delivered"
    REFUSED = "refused"  # any other status than 2xx, 3xx and 410
    GONE = "gone"  # 410: the receiver wants no more
    REDIRECTED = "redirected"  # 3xx: not followed, since it could lead anywhere
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    FORBIDDEN_ADDRESS = "forbidden_address"


@dataclass(frozen=True, slots=True)
class WebhookResponse:
    result: WebhookResult
    status: int | None = None  # of HTTP
    retry_after_seconds: float = 0.0  # as the receiver asks
