"""The caller of verifications behind the page's button, over Textback's own HTTP."""

from typing import Any

import requests

START = "/orchestrators/E4_SmsPhoneVerification"
TIMEOUT_SECONDS = 5


class Refused(Exception):
    """The start was refused: holds Textback's sentence, or that Textback does not answer."""


class Caller:
    def __init__(self, service_url: str, function_key: str) -> None:
        self._url = service_url
        self._key = function_key
        self._session = requests.Session()
        self._session.trust_env = False

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
        except requests.ConnectionError:
            raise Refused("Textback does not answer. Nothing was started.") from None
        except requests.RequestException:
            raise Refused(
                f"Textback did not answer within {TIMEOUT_SECONDS} seconds. If it started a"
                " verification anyway, its status will appear here."
            ) from None
        if response.status_code != 202:
            raise Refused(_sentence(response))
        started: dict[str, Any] = response.json()
        return started

    def close(self) -> None:
        self._session.close()


def _sentence(response: requests.Response) -> str:
    try:
        return str(response.json()["ExceptionMessage"])
    except (ValueError, KeyError, TypeError):
        return f"Textback answered {response.status_code}."
