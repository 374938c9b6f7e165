"""Reads Verify's form-encoded parameters. A parameter that is not supported is refused by its name
and never ignored, since ignoring it could change the meaning of the request."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from flask import request

from bot import wording
from bot.domain import start_fields
from bot.domain.errors import InvalidStart
from bot.faces.verify.errors import ChannelDisabled, InvalidParameter
from bot.http.body import whole_body
from bot.http.form_fields import MOST_FIELDS, is_cheap, pairs_of

LONGEST_NAME = 32  # characters of CustomFriendlyName
MOST_DIGITS_IN_NAME = 4  # with five a name could look like a code
MOST_TAGS = 10

_FORM = "application/x-www-form-urlencoded"
_CHANNELS = frozenset(["call", "whatsapp", "email", "sna", "rcs", "rbm"])  # Verify's, beside sms
_WITHOUT_EFFECT = frozenset(["DeviceIp", "RiskCheck"])
# What wrappers of the clients send for parameters that they were not given.
_NONE = frozenset(
    [("EnableSnaClientToken", "false"), ("RateLimits", "{}"), ("ChannelConfiguration", "{}")]
)
_CREATE = frozenset(["To", "Channel", "Locale", "CustomFriendlyName", "AppHash", "Tags"])
_CHECK = frozenset(["To", "VerificationSid", "Code"])
_UPDATE = frozenset(["Status"])


@dataclass(frozen=True, slots=True)
class Create:
    to: str
    locale: str | None
    tag: str | None
    friendly_name: str | None
    app_hash: str | None


@dataclass(frozen=True, slots=True)
class Check:
    code: str
    to: str | None
    sid: str | None


def create() -> Create:
    """Reads the parameters of a create request. Raises InvalidParameter, ChannelDisabled."""
    form = _form(_CREATE | _WITHOUT_EFFECT)
    _required(form, "To")
    to, channel = _to(form), _required(form, "Channel").lower()
    if channel in _CHANNELS:
        raise ChannelDisabled(f"Delivery channel disabled: {channel}. This service has sms alone.")
    if channel != "sms":
        raise invalid("Channel", "it must be sms")
    return Create(
        to=to,
        locale=_locale(form.get("Locale")),
        tag=_tag(form.get("Tags")),
        friendly_name=_friendly_name(form.get("CustomFriendlyName")),
        app_hash=_app_hash(form.get("AppHash")),
    )


def check() -> Check:
    """Raises InvalidParameter."""
    form = _form(_CHECK)
    code, to, sid = _required(form, "Code"), _to(form) or None, form.get("VerificationSid")
    if not to and not sid:
        raise missing("To")
    return Check(code=code, to=to, sid=sid)


def has_length_of_code(text: str) -> bool:
    """Whether Twilio would accept a code of this length. A code of another length than ours within
    that range is wrong, not invalid."""
    return 4 <= len(re.sub(r"[\s-]", "", text)) <= 10


def require_cancel() -> None:
    """Raises InvalidParameter unless the form asks to cancel: no other change is possible."""
    status = _required(_form(_UPDATE), "Status").lower()
    if status != "canceled":
        raise invalid("Status", "it must be canceled: only the code approves a verification")


def invalid(name: str, why: str) -> InvalidParameter:
    return InvalidParameter(f"Invalid parameter `{name}`: {why}")


def missing(name: str) -> InvalidParameter:
    return InvalidParameter(f"Missing required parameter `{name}`")


def _form(known: frozenset[str]) -> Mapping[str, str]:
    """An empty value counts as none: clients send it for fields that they leave out. So does a
    value of _NONE. A byte order mark before the form is part of its first name."""
    if not is_cheap(request):
        raise InvalidParameter(f"The form must be {_FORM}, with at most {MOST_FIELDS} fields")
    body = whole_body(request)
    if body and request.mimetype != _FORM:
        raise InvalidParameter(f"The body must be {_FORM}")
    pairs = pairs_of(body)
    given = [(name.removeprefix("\ufeff"), value) for name, value in pairs]
    for name, value in given:
        if not _is_utf8(name + value):
            shown = name[:60].encode(errors="backslashreplace").decode()
            raise invalid(shown, "it is not UTF-8")
    told = [(name, value) for name, value in given if not _is_none(name, value.strip())]
    for name in sorted({name for name, _ in told} - known):
        raise invalid(name[:60], "it is not supported by this service")
    for name, count in Counter(name for name, _ in told).items():
        if count > 1:
            raise invalid(name[:60], "it is given more than once")
    return dict(told)


def _is_none(name: str, value: str) -> bool:
    return not value or (name, value.lower()) in _NONE


def _is_utf8(text: str) -> bool:
    """Whether no byte of a form became a lone surrogate (`pairs_of`)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _required(form: Mapping[str, str], name: str) -> str:
    value = form.get(name, "").strip()
    if not value:
        raise missing(name)
    return value


def _to(form: Mapping[str, str]) -> str:
    """Empty if it is not given. A plus that was not percent-encoded arrives as a blank."""
    value = form.get("To", "")
    number = value.strip()
    return f"+{number}" if value[:1] == " " and number[:1].isdigit() else number


def _locale(value: str | None) -> str | None:
    try:
        return start_fields.locale(value)
    except InvalidStart as error:
        raise invalid("Locale", error.sentence) from None


def _tag(value: str | None) -> str | None:
    if value is None:
        return None
    try:
        tags = json.loads(value)
        # Without blanks and line ends. Python would read and write NaN, which is not JSON.
        text = json.dumps(tags, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (ValueError, RecursionError):
        tags = None
    if not isinstance(tags, dict) or len(tags) > MOST_TAGS:
        raise invalid("Tags", f"it must be the JSON text of an object of at most {MOST_TAGS} pairs")
    try:
        return start_fields.tag(text) if tags else None
    except InvalidStart as error:
        raise invalid("Tags", error.sentence) from None


def _friendly_name(value: str | None) -> str | None:
    if value is None:
        return None
    digits = sum(character.isdigit() for character in value)
    if len(value) > LONGEST_NAME or digits > MOST_DIGITS_IN_NAME or not value.isprintable():
        raise invalid(
            "CustomFriendlyName",
            f"it has at most {LONGEST_NAME} printable characters, {MOST_DIGITS_IN_NAME} of them"
            " digits",
        )
    if not wording.is_name(value):
        raise invalid("CustomFriendlyName", wording.NO_NAME)
    return value.strip()


def _app_hash(value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"[A-Za-z0-9+/]{11}", value):
        raise invalid("AppHash", "it has 11 characters of base64")
    return value
