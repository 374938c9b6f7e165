"""Access over HTTP: 401 without a known key, 403 with a key that may not do this."""

from flask import request

from bot.domain.errors import UnknownVerification
from bot.http.errors import Forbidden, KeyReplaced, Unauthorized
from bot.http.keys import Caller, Keys, Power, Scope
from bot.http.openapi import Part
from bot.store.tx import Store
from bot.usecases import read

KEY_HEADER = "x-functions-key"
KEY_PARAMETER = "code"  # case-insensitive
UNKNOWN = "This key is not known."


class Access:
    """Checks the key of the current request."""

    def __init__(self, keys: Keys, store: Store) -> None:
        self._keys = keys
        self._store = store

    def require_starter(self) -> Caller:
        """Requires a function key or a system key."""
        caller = self._keys.caller(presented())
        if caller is None:
            raise Unauthorized(UNKNOWN)
        return caller

    def require_manager(self) -> Caller:
        """Requires a system key."""
        caller = self.require_starter()
        if caller.power is not Power.ALL:
            raise Forbidden("This key can only start verifications: use a system key.")
        return caller

    def require_holder(self, id: str, scope: Scope) -> Caller:
        """Requires a system key, or the key of a link of this one verification and this scope."""
        key = presented()
        caller = self._keys.caller(key) or self._link_holder(key, id)
        if caller is None:
            raise Unauthorized(UNKNOWN + _used_header())
        if caller.power is not Power.ALL and scope not in caller.scopes:
            raise Forbidden(
                f"This key does not have the scope {scope}, which this request needs: use a system"
                f" key, or the link for it.{_used_header()}"
            )
        if "\ufffd" in id:  # an address that is not UTF-8: others would read as the same
            raise UnknownVerification("No verification has this id.")
        return caller

    def require_restarter(self, id: str) -> Caller:
        """Requires what `require_holder` does. Refuses the link of a caller whose key was replaced
        since."""
        caller = self.require_holder(id, Scope.ACT)
        if caller.power is Power.LINK and not self._is_begun_by_known_key(id):
            raise KeyReplaced(
                "The key that began this verification is no longer configured, so its links cannot"
                " restart it. Start a verification with a current key."
            )
        return caller

    def _is_begun_by_known_key(self, id: str) -> bool:
        verification = self._store.read(read.find, id)
        if verification is None:
            return False
        return self._keys.is_configured(verification.caller_key, name=verification.started_by)

    def _link_holder(self, key: str, id: str) -> Caller | None:
        verification = self._store.read(read.find, id)
        return self._keys.link_holder(key, verification) if verification else None


def part() -> Part:
    """The part of the OpenAPI description: where a key is put."""
    return Part(
        paths={},
        security={
            "header": {"type": "apiKey", "in": "header", "name": KEY_HEADER},
            "query": {"type": "apiKey", "in": "query", "name": KEY_PARAMETER},
        },
    )


def presented() -> str:
    """The key sent. The header wins over the query, and that over a bearer token, which Prometheus
    sends. Raises Unauthorized."""
    sent = request.headers.get(KEY_HEADER) or _parameter(KEY_PARAMETER) or _bearer_token()
    if not sent:
        raise Unauthorized(f"No key was sent: put it into {KEY_HEADER}, or into ?{KEY_PARAMETER}=.")
    return sent


def _used_header() -> str:
    """For a client that sends its key with every request, also with those by a link."""
    has_both = request.headers.get(KEY_HEADER) and _parameter(KEY_PARAMETER)
    hint = f" The key in {KEY_HEADER} was used, not the one in the link: leave the header out."
    return hint if has_both else ""


def _bearer_token() -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _parameter(name: str) -> str | None:
    values = (value for key, value in request.args.items(multi=True) if key.lower() == name)
    return next(values, None)
