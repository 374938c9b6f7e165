"""The JSON of Verify's resources, by Twilio's OpenAPI description (verify_v2, November 2026)."""

import hashlib
from datetime import datetime
from typing import Any

from bot.domain.ids import hex_id
from bot.domain.verification import Status, Verification
from bot.http.instants import whole_seconds
from bot.settings import Settings
from bot.store.texts import Text, TextState
from bot.usecases.read import VerificationView

Json = dict[str, Any]
PATH = "/v2/Services"


class Shapes:
    """Builds the JSON of each resource. `account_sid`: the account of the current request."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._base = f"{settings.public_base_url}{PATH}"
        self.service_sid = settings.service_sid

    def verification(self, view: VerificationView, *, account_sid: str) -> Json:
        v = view.verification
        sid = sid_of(v)
        return {
            "sid": sid,
            "service_sid": self.service_sid,
            "account_sid": account_sid,
            "to": v.phone,
            "channel": "sms",
            "status": v.status.value,
            "valid": v.status is Status.APPROVED,
            "lookup": {},
            "amount": None,
            "payee": None,
            "send_code_attempts": [_attempt(text) for text in view.texts if _was_tried(text)],
            "sna": None,
            "date_created": whole_seconds(v.created_at),
            "date_updated": whole_seconds(_updated_at(v)),
            "url": f"{self._base}/{self.service_sid}/Verifications/{sid}",
        }

    def check(self, v: Verification, *, is_right: bool, account_sid: str) -> Json:
        """A wrong code is `pending`, the one that used the last attempt too, as at Twilio."""
        status = Status.APPROVED if is_right else Status.PENDING
        return {
            "sid": sid_of(v),
            "service_sid": self.service_sid,
            "account_sid": account_sid,
            "to": v.phone,
            "channel": "sms",
            "status": status.value,
            "valid": is_right,
            "amount": None,
            "payee": None,
            "sna_attempts_error_codes": [],
            "date_created": whole_seconds(v.created_at),
            "date_updated": whole_seconds(_updated_at(v)),
        }

    def service(self, *, account_sid: str) -> Json:
        url = f"{self._base}/{self.service_sid}"
        return {
            "sid": self.service_sid,
            "account_sid": account_sid,
            "friendly_name": self._settings.service_name or "Textback",
            "code_length": self._settings.code_length,
            "lookup_enabled": False,
            "psd2_enabled": False,
            "skip_sms_to_landlines": False,
            "dtmf_input_required": False,
            "tts_name": None,
            "do_not_share_warning_enabled": False,
            "custom_code_enabled": False,
            "push": None,
            "totp": None,
            "default_template_sid": None,
            "whatsapp": None,
            "passkeys": None,
            "verify_event_subscription_enabled": False,
            "date_created": _EPOCH,
            "date_updated": _EPOCH,
            "url": url,
            "links": {
                "verifications": f"{url}/Verifications",
                "verification_checks": f"{url}/VerificationCheck",
            },
        }

    def services(self, *, account_sid: str, page: int, page_size: int) -> Json:
        """The only service is on page 0."""
        url = f"{self._base}?PageSize={page_size}&Page={page}"
        return {
            "services": [] if page else [self.service(account_sid=account_sid)],
            "meta": {
                "page": page,
                "page_size": page_size,
                "first_page_url": f"{self._base}?PageSize={page_size}&Page=0",
                "previous_page_url": None,
                "next_page_url": None,
                "url": url,
                "key": "services",
            },
        }


# Settings define the service, and they have no date.
_EPOCH = "1970-01-01T00:00:00Z"


def sid_of(v: Verification) -> str:
    return f"VE{hex_id(v.id)}"


def _updated_at(v: Verification) -> datetime:
    return (v.outcome.at if v.outcome else v.updated_at) or v.created_at


def _was_tried(text: Text) -> bool:
    """False: withdrawn before it was handed to Twilio, so no attempt was made."""
    return text.state is not TextState.WITHDRAWN or text.first_try_at is not None


def _attempt(text: Text) -> Json:
    sid = hashlib.sha256(text.id.encode()).hexdigest()[:32]
    return {"time": whole_seconds(text.queued_at), "channel": "SMS", "attempt_sid": f"VL{sid}"}
