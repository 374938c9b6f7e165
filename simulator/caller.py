"""The caller of verifications behind the page's button, over Textback's own HTTP."""

import threading
from typing import Any

import requests

START = "/orchestrators/E4_SmsPhoneVerification"
TIMEOUT_SECONDS = 5


class Refused(Exception):
    """Textback's own sentence."""


class Caller:
    def __init__(self, service_url: str, function_key: str) -> None:
        self._url = service_url
        self._key = function_key
        self._session = requests.Session()
        self._session.trust_env = False
        self._started: dict[str, dict[str, Any]] = {}  # the newest of each phone, as the 202 had it
        self._ended: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def start(self, phone: str, locale: str = "") -> dict[str, Any]:
        """The 202's body. Raises Refused."""
        body = {"phoneNumber": phone, "locale": locale} if locale else phone
        try:
            response = self._session.post(
                self._url + START,
                json=body,
                headers={"x-functions-key": self._key},
                timeout=TIMEOUT_SECONDS,
            )
        except requests.RequestException as error:
            raise Refused(f"Textback does not answer: {type(error).__name__}") from None
        if response.status_code != 202:
            raise Refused(_sentence(response))
        started: dict[str, Any] = response.json()
        with self._lock:
            self._started[phone] = started
            self._ended.pop(phone, None)
        return started

    def view(self, phone: str) -> dict[str, Any] | None:
        """What the status link says of the newest that was started here. None: none was."""
        with self._lock:
            started, ended = self._started.get(phone), self._ended.get(phone)
        if started is None or ended is not None:
            return ended
        try:
            response = self._session.get(started["statusQueryGetUri"], timeout=TIMEOUT_SECONDS)
            status = response.json() if response.content else {}
        except requests.RequestException:
            return None
        told = {"id": started["id"], **(status.get("customStatus") or {})}
        if told.get("status") not in (None, "pending"):
            with self._lock:
                if self._started[phone] is started:
                    self._ended[phone] = told
        return told

    def close(self) -> None:
        self._session.close()


def _sentence(response: requests.Response) -> str:
    try:
        return str(response.json()["ExceptionMessage"])
    except (ValueError, KeyError, TypeError):
        return f"Textback answered {response.status_code}."
