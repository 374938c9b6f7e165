"""Signing in: a signed cookie, a token in every form, and a throttle on guessing.

Every visitor has a cookie with a random session id, signed under a subkey of SECRET_KEY. A session
is signed in while its cookie has the fingerprint of an operator's current key and has not expired;
so changing a key signs its operator out. The token of a form is a signature over the session id: a
page of another site cannot know it, so it cannot post a form, not even the sign-in form.
"""

import hashlib
import hmac
import secrets
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Response
from itsdangerous import BadSignature, Signer, URLSafeSerializer

from bot.domain.errors import retry_after
from bot.domain.operators import Operator
from bot.http.keys import SIGNED_BY, signing_keys
from bot.http.networks import network

COOKIE = "textback_console"
PATH = "/console/"
LASTS = timedelta(hours=12)

WRONG_KEYS = 5  # of one address within
WITHIN = timedelta(minutes=1)
MOST_ADDRESSES = 10_000


@dataclass(frozen=True, slots=True)
class Session:
    id: str
    operator: Operator | None  # None: not signed in


class SignIn:
    def __init__(
        self,
        operators: Sequence[tuple[Operator, str]],
        *,
        secrets: Sequence[str],
        is_https: bool,
        clock: Callable[[], datetime],
    ) -> None:
        """`operators`: each with a key; `secrets`: the current secret key and earlier ones."""
        self._operators = operators
        keys = signing_keys(secrets, "console")
        self._cookies = URLSafeSerializer(keys, salt="textback.cookie", signer_kwargs=SIGNED_BY)
        self._tokens = Signer(keys, salt="textback.form", **SIGNED_BY)
        self._current = keys[-1]
        self._fingerprints = [
            (_fingerprint(secret, key), operator) for secret in keys for operator, key in operators
        ]
        self._is_https = is_https
        self._clock = clock

    def session(self, cookie: str | None) -> Session:
        """The visitor's session, or a new one that is not signed in."""
        try:
            id, fingerprint, until = self._cookies.loads(cookie or "")
        except (BadSignature, ValueError, TypeError):
            return Session(secrets.token_urlsafe(16), None)
        if self._clock().timestamp() >= float(until):
            return Session(str(id), None)
        found = [o for f, o in self._fingerprints if hmac.compare_digest(str(fingerprint), f)]
        return Session(str(id), found[0] if found else None)

    def operator(self, presented: str) -> tuple[Operator, str] | None:
        """Returns the holder of a key, with its fingerprint, or None for an unknown key."""
        # Compare with every key, so that the duration does not reveal which one was nearly right.
        found = [
            (operator, _fingerprint(self._current, key))
            for operator, key in self._operators
            if hmac.compare_digest(presented.encode(), key.encode())
        ]
        return found[0] if found else None

    def token(self, session: Session, purpose: str = "form") -> str:
        """The token in the forms of this session, or the proof that a notice is ours."""
        return self._tokens.get_signature(f"{session.id}.{purpose}").decode()

    def is_token(self, session: Session, presented: str, purpose: str = "form") -> bool:
        return self._tokens.verify_signature(f"{session.id}.{purpose}", presented.encode())

    def keep(self, response: Response, session: Session) -> None:
        """Sets the cookie of a visitor who is not signed in."""
        self._set(response, session.id, "")

    def enter(self, response: Response, fingerprint: str) -> None:
        """Signs in under a new session id, so that an id planted by an attacker is useless."""
        self._set(response, secrets.token_urlsafe(16), fingerprint)

    def leave(self, response: Response) -> None:
        response.delete_cookie(COOKIE, path=PATH, secure=self._is_https, httponly=True)

    def _set(self, response: Response, id: str, fingerprint: str) -> None:
        until = (self._clock() + LASTS).timestamp()
        response.set_cookie(
            COOKIE,
            self._cookies.dumps([id, fingerprint, until]),
            max_age=LASTS,
            path=PATH,
            secure=self._is_https,
            httponly=True,
            samesite="Lax",
        )


def _fingerprint(secret: bytes, key: str) -> str:
    return hmac.digest(secret, key.encode(), hashlib.sha256).hex()[:16]


class Throttle:
    """Wrong keys by address. Behind a proxy all visitors share the proxy's address."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._wrong: dict[str, deque[datetime]] = {}
        self._lock = threading.Lock()

    def try_one(self, address: str) -> int:
        """Returns the seconds to wait before the next try; 0: the key may be checked now. The try
        counts as wrong at once, so that concurrent tries gain nothing over consecutive ones."""
        now, name = self._clock(), network(address)
        with self._lock:
            wrong = self._wrong.setdefault(name, deque(maxlen=WRONG_KEYS))
            if len(wrong) == WRONG_KEYS and wrong[0] + WITHIN > now:
                return retry_after(wrong[0] + WITHIN - now)
            wrong.append(now)
            while len(self._wrong) > MOST_ADDRESSES:
                del self._wrong[next(iter(self._wrong))]
            return 0

    def was_right(self, address: str) -> None:
        with self._lock:
            self._wrong.pop(network(address), None)
