"""X-Twilio-Signature: proof that a webhook comes from Twilio and was made for this address.

Computed over PUBLIC_BASE_URL, never over what Host or X-Forwarded headers say: behind a proxy
those differ from what Twilio signed, and they are for anybody to set. It proves no freshness: a
captured request can be replayed, which the MessageSid rule makes harmless.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

from flask import Request
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict

# Base64 of an HMAC-SHA1, which is what Twilio sends.
SIGNATURE_LENGTH = 28
# Twilio posts some thirty, and twenty more with ten media. Hashing sorts them, so each costs.
MOST_FIELDS = 100
FORM = "application/x-www-form-urlencoded"


class Signature:
    def __init__(self, tokens: Sequence[str], *, public_base_url: str) -> None:
        """`tokens`: auth tokens, any of which may have signed (while one is rotated)."""
        self._validators = [RequestValidator(token) for token in tokens]
        self._base_url = public_base_url

    def is_valid(self, request: Request) -> bool:
        sent = request.headers.get("X-Twilio-Signature", "")
        if not sent.isascii() or len(sent) != SIGNATURE_LENGTH or request.mimetype != FORM:
            return False
        # Before the form is read, let alone hashed: anybody may post here.
        if request.get_data().count(b"&") >= MOST_FIELDS:
            return False
        # The raw query, as it was on the wire: request.url is only for showing.
        query = request.environ.get("QUERY_STRING", "")
        url = self._base_url + request.path + (f"?{query}" if query else "")
        # The MultiDict itself, since a repeated parameter is signed with all its values.
        return any(_is_signed(validator, url, request.form, sent) for validator in self._validators)


def _is_signed(validator: Any, url: str, form: MultiDict[str, str], sent: str) -> bool:
    """The library tries the address with its port and without, whichever fits. One that was signed
    as it is set, which is nearly every one, is told in a tenth of the time."""
    expected = _signature(validator.token, url, form)
    is_exact = hmac.compare_digest(expected, sent.encode())
    return is_exact or bool(validator.validate(url, form, sent))


def _signature(token: bytes, url: str, form: MultiDict[str, str]) -> bytes:
    """Twilio's own rule: the address, then each name and value in the order of names; of a repeated
    one all its values (https://www.twilio.com/docs/usage/security)."""
    fields = (name + value for name in sorted(form) for value in sorted(set(form.getlist(name))))
    signed = f"{url}{''.join(fields)}".encode()
    return base64.b64encode(hmac.digest(token, signed, hashlib.sha1))
