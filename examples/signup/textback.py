"""Textback's API over HTTP, as far as the application uses it."""

import time
from dataclasses import dataclass
from typing import Any

import requests

TIMEOUT_SECONDS = 10
# A start is repeated once if no response came, or a 503 with a short Retry-After. If the wait is
# longer, the page tells the person when to try again.
LONGEST_WAIT_SECONDS = 2


class Refused(Exception):
    """Textback did not do it. `code` is its word for why, `wait` the seconds until it may."""

    def __init__(self, code: str, wait: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Started:
    """The kept part of the answer to a start."""

    id: str
    reference: str
    status_link: str
    event_link: str
    terminate_link: str


class Textback:
    def __init__(self, base_url: str, function_key: str) -> None:
        self._start_url = f"{base_url}/orchestrators/E4_SmsPhoneVerification"
        self._function_key = function_key

    def start(self, number: str, *, tag: str, locale: str | None, idempotency_key: str) -> Started:
        """Raises Refused."""
        response = self._post_start(
            {"phoneNumber": number, "tag": tag, "locale": locale},
            {"x-functions-key": self._function_key, "Idempotency-Key": idempotency_key},
        )
        if response.status_code != 202:
            raise _refusal(response)
        body = response.json()
        return Started(
            id=body["id"],
            reference=body["reference"],
            status_link=body["statusQueryGetUri"],
            event_link=body["sendEventPostUri"],
            terminate_link=body["terminatePostUri"],
        )

    def answer(self, event_link: str, code: str) -> None:
        """The code as it was typed. Whether it was right, the status says. Raises Refused."""
        self._send_event(event_link, "SmsChallengeResponse", code)

    def send_again(self, event_link: str) -> None:
        """Raises Refused."""
        self._send_event(event_link, "ResendSmsChallenge", {})

    def cancel(self, terminate_link: str, reason: str) -> None:
        """One that has ended already is left as it is. Raises Refused without an answer."""
        _call("POST", terminate_link.replace("{text}", reason))

    def status(self, status_link: str) -> dict[str, Any]:
        """Reads the customStatus of a verification. Raises Refused."""
        response = _call("GET", f"{status_link}&showInput=false")
        if response.status_code not in (200, 202):
            raise _refusal(response)
        found: dict[str, Any] = response.json()["customStatus"]
        return found

    def _post_start(self, body: dict[str, Any], headers: dict[str, str]) -> requests.Response:
        """Twice at most. The Idempotency-Key makes that safe: there is one verification."""
        try:
            response = _call("POST", self._start_url, json=body, headers=headers)
        except Refused:
            return _call("POST", self._start_url, json=body, headers=headers)
        wait = _retry_after(response)
        if response.status_code == 503 and wait is not None and wait <= LONGEST_WAIT_SECONDS:
            time.sleep(wait)
            return _call("POST", self._start_url, json=body, headers=headers)
        return response

    def _send_event(self, event_link: str, name: str, value: Any) -> None:
        # json= sets the content type, without which the event is refused.
        response = _call("POST", event_link.replace("{eventName}", name), json=value)
        if response.status_code != 202:
            raise _refusal(response)


def _call(method: str, url: str, **more: Any) -> requests.Response:
    try:
        return requests.request(method, url, timeout=TIMEOUT_SECONDS, **more)
    except requests.RequestException:
        raise Refused("unreachable") from None


def _refusal(response: requests.Response) -> Refused:
    """The refusal of a response. 404 and 410 have no body, so the code follows from the status."""
    try:
        code = str(response.json()["code"])
    except (ValueError, KeyError, TypeError):
        code = {404: "unknown_verification", 410: "already_finished"}.get(response.status_code, "")
    return Refused(code, _retry_after(response))


def _retry_after(response: requests.Response) -> int | None:
    text = response.headers.get("Retry-After", "")
    return int(text) if text.isdecimal() else None


def first_key(values: str) -> str:
    """Textback's setting may list several keys, `new,old`, each with a name, `web:new`."""
    name, colon, key = values.split(",")[0].partition(":")
    return (key if colon else name).strip()
