"""Who may do what on this face: 401 without a known key, 403 with one for something else."""

from flask import request

from bot.durable.query import Query
from bot.keys import Caller, Keys, Power, Scope
from bot.usecases.verifications import Verifications


class Unauthorized(Exception):
    """No key, or one that nobody knows."""


class Forbidden(Exception):
    """A key that is known, for something else."""


class Access:
    def __init__(self, keys: Keys, verifications: Verifications) -> None:
        self._keys = keys
        self._verifications = verifications

    def starter(self) -> Caller:
        """A function key or a system key."""
        caller = self._keys.caller(presented())
        if caller is None:
            raise Unauthorized
        return caller

    def manager(self) -> Caller:
        """A system key."""
        caller = self.starter()
        if caller.power is not Power.ALL:
            raise Forbidden
        return caller

    def holder(self, id: str, scope: Scope) -> Caller:
        """A system key, or the key of a link of this one instance and this scope."""
        key = presented()
        caller = self._keys.caller(key) or self._link_holder(key, id)
        if caller is None:
            raise Unauthorized
        if caller.power is not Power.ALL and scope not in caller.scopes:
            raise Forbidden
        return caller

    def _link_holder(self, key: str, id: str) -> Caller | None:
        verification = self._verifications.find(id)
        return self._keys.link_holder(key, verification) if verification else None


def presented() -> str:
    """The key sent. The header wins over the query, as the Functions host has it."""
    sent = request.headers.get("x-functions-key") or Query(request.args).text("code")
    if not sent:
        raise Unauthorized
    return sent
