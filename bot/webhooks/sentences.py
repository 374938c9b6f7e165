"""What an application answered, in plain words."""

from bot.webhooks.client import CALL_SECONDS, Result

_SENTENCES = {
    Result.DELIVERED: "It took the event with HTTP status {status}.",
    Result.REFUSED: "It answered with HTTP status {status}, which does not take the event.",
    Result.GONE: "It answered with HTTP status {status}: it wants no more events.",
    Result.REDIRECTED: "It answered with HTTP status {status}, a redirect; none is followed.",
    Result.UNREACHABLE: "It could not be reached, or broke off before it answered.",
    Result.TIMEOUT: f"It did not answer within {CALL_SECONDS:.0f} seconds.",
    Result.FORBIDDEN_ADDRESS: "Its host has a private address, or another that is never called.",
}


def sentence(result: str | None, status: int | None) -> str:
    """Of the last try of an event.

    >>> sentence("refused", 500)
    'It answered with HTTP status 500, which does not take the event.'
    >>> sentence(None, None)
    'It was not tried yet.'
    """
    if result is None:
        return "It was not tried yet."
    return _SENTENCES[Result(result)].format(status=status)
