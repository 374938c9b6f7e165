"""X-Twilio-Signature: proof that a webhook comes from Twilio and was made for this address.

Computed over PUBLIC_BASE_URL, never over what Host or X-Forwarded headers say: behind a proxy
those differ from what Twilio signed, and any client can set them. It proves no freshness: a
captured request can be replayed, which the MessageSid rule makes harmless.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence

from twilio.request_validator import RequestValidator
from werkzeug.datastructures import Headers, MultiDict

from bot.domain.code import digest_of

# Base64 of an HMAC-SHA1, which is what Twilio sends.
SIGNATURE_LENGTH = 28
HEADER = "X-Twilio-Signature"
FORM = "application/x-www-form-urlencoded"


class Signature:
    def __init__(self, tokens: Sequence[str], *, public_base_url: str) -> None:
        """`tokens`: auth tokens, any of which may have signed (while one is rotated)."""
        self._validators = [RequestValidator(token) for token in tokens]
        self._keyed = [hmac.new(token.encode(), digestmod=hashlib.sha1) for token in tokens]
        self._base_url = public_base_url

    def is_plausible(self, headers: Headers) -> bool:
        """Checks header and content type before the body is read, since anyone can post here."""
        sent = headers.get(HEADER, "")
        content_type = headers.get("Content-Type", "").partition(";")[0]
        is_form = content_type.strip().lower() == FORM
        return sent.isascii() and len(sent) == SIGNATURE_LENGTH and is_form

    def is_valid(self, headers: Headers, form: Mapping[str, list[str]], *, path: str) -> bool:
        """`path`: with its raw query, as it was on the wire. `form`: with all values of a repeated
        field, since all are signed.

        The configured address is tried first. Nearly every signature is over it, and this check
        takes a tenth of the library's time. The library tries the address with its port and
        without."""
        sent, url = headers.get(HEADER, ""), self._base_url + path
        signed = _signed(url, form)
        expected = (base64.b64encode(digest_of(signed, keyed)) for keyed in self._keyed)
        if any(hmac.compare_digest(one, sent.encode()) for one in expected):
            return True
        fields: MultiDict[str, str] = MultiDict(form)
        return any(validator.validate(url, fields, sent) for validator in self._validators)


def _signed(url: str, form: Mapping[str, list[str]]) -> bytes:
    """What Twilio signs: the address, then each field's name and value, sorted by name; a repeated
    field counts with every distinct value, each after its name
    (https://www.twilio.com/docs/usage/security)."""
    fields = (
        name + value
        for name, values in sorted(form.items())
        for value in (sorted(set(values)) if len(values) > 1 else values)
    )
    return f"{url}{''.join(fields)}".encode()
