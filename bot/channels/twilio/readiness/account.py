"""The account, and each auth token: every one of them verifies signatures."""

from collections.abc import Iterator
from typing import Any

from bot.channels.gateway import Finding
from bot.channels.twilio import errors
from bot.channels.twilio.questions import Questions, Unanswered, Why
from bot.channels.twilio.readiness.findings import FindingKind, fault, good, warning

_REFUSED = (Why.CREDENTIALS, Why.NOT_FOUND)
_NOT_ACCEPTED = (None, errors.CREDENTIALS, errors.NOT_FOUND)  # other codes have another reason
_HERE = "Both are on the first page of Twilio's console."


def findings(questions: Questions) -> Iterator[Finding]:
    """Raises Unanswered."""
    sid = questions.settings.twilio_account_sid
    tokens = questions.settings.twilio_auth_token
    account, refused = None, []
    suspended: Unanswered | None = None
    for place, token in enumerate(tokens):
        by_token = questions.with_token(token)
        try:
            account = by_token.ask(by_token.client.api.v2010.accounts(sid).fetch)
        except Unanswered as failed:
            if failed.why not in _REFUSED:
                raise
            refused.append(place)
            suspended = failed if failed.code not in _NOT_ACCEPTED else suspended
    if account is None:
        yield (
            fault(FindingKind.CREDENTIALS, suspended.sentence)
            if suspended
            else _none_accepted(questions)
        )
        return
    for place in refused:
        yield _not_accepted(questions, place)
    if not refused:
        yield good(
            FindingKind.CREDENTIALS, "Twilio accepts TWILIO_AUTH_TOKEN for TWILIO_ACCOUNT_SID."
        )
    yield from _of_account(account)


def _none_accepted(questions: Questions) -> Finding:
    beside = (
        " The API key sends texts, but the token is still needed: Twilio signs replies with it."
        if questions.settings.twilio_api_key_sid
        else ""
    )
    return fault(
        FindingKind.CREDENTIALS,
        "Twilio does not accept TWILIO_AUTH_TOKEN for TWILIO_ACCOUNT_SID (error 20003): one of them"
        " is mistyped or of another account, the token was rotated, or the account is suspended or"
        f" closed. {_HERE}{beside}",
    )


def _not_accepted(questions: Questions, place: int) -> Finding:
    reason = f"Value {place + 1} of TWILIO_AUTH_TOKEN is not, or no longer, a token of this account"
    if place == 0 and not questions.settings.twilio_api_key_sid:
        return fault(
            FindingKind.CREDENTIALS,
            f"{reason}. The first value sends texts: put the current token first.",
        )
    return warning(
        FindingKind.CREDENTIALS,
        f"{reason}, but Textback accepts signatures made with it: remove it, unless you are"
        " rotating the token.",
    )


def _of_account(account: Any) -> Iterator[Finding]:
    if account.status != "active":
        yield fault(
            FindingKind.ACCOUNT,
            f"The account is {account.status}, so it sends and receives nothing. Twilio's console"
            " says why.",
        )
    elif account.owner_account_sid not in (None, account.sid):
        yield good(
            FindingKind.ACCOUNT,
            "The account is active. It is a subaccount: its own SID and auth token belong in the"
            " settings, and the sender must be its own.",
        )
    else:
        yield good(FindingKind.ACCOUNT, "The account is active.")
    if account.type == "Trial":
        yield warning(
            FindingKind.TRIAL,
            "This is a trial account: it texts only numbers that are verified in Twilio's console,"
            " puts a notice before each text, or sends no texts but Twilio's own (error 572006)."
            " Upgrade it, or expect the first try to fail.",
        )
