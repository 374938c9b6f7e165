"""Keys, and what each may do.

Function keys start verifications. System keys do everything. A link key is valid for one
verification and one scope, `read` or `act`. It is a signature over the id and the nonce under a
subkey of SECRET_KEY. So it needs no table, the links of a caller give access to its own
verifications only, and a link does not open a later verification that reuses the id after a purge.
"""

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from itsdangerous import Signer

from bot.domain.code import subkey
from bot.domain.verification import Verification


class Scope(StrEnum):
    READ = "read"
    ACT = "act"


class Power(StrEnum):
    START = "start"  # start verifications
    ALL = "all"  # everything
    LINK = "link"  # one verification, one scope


@dataclass(frozen=True, slots=True)
class Caller:
    name: str
    power: Power
    scopes: frozenset[Scope] = frozenset()
    key_fingerprint: str | None = None  # which of its keys it came with; a hash
    key_fingerprints: frozenset[str] = frozenset()  # of all its keys, also under earlier secrets


class Keys:
    def __init__(
        self,
        *,
        function_keys: Sequence[tuple[str, str]],
        system_keys: Sequence[tuple[str, str]],
        secrets: Sequence[str],
    ) -> None:
        """Pairs of name and key; `secrets` are the current secret key and earlier ones."""
        configured = [
            *((key, name, Power.START) for name, key in function_keys),
            *((key, name, Power.ALL) for name, key in system_keys),
        ]
        fingerprints: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
        for key, name, _ in configured:
            # One under an earlier secret is valid as long as links made under it.
            fingerprints[name] |= {_fingerprint(key, secret) for secret in secrets}
        self._known = [
            (
                key.encode(),
                Caller(
                    name,
                    power,
                    key_fingerprint=_fingerprint(key, secrets[0]),
                    key_fingerprints=fingerprints[name],
                ),
            )
            for key, name, power in configured
        ]
        self._current = {caller.name: caller.key_fingerprint for _, caller in self._known}
        self._fingerprints = frozenset().union(*fingerprints.values())
        signing = signing_keys(secrets, "links")
        self._signers = {scope: _signer(signing, f"textback.link.{scope}") for scope in Scope}

    def caller(self, presented: str) -> Caller | None:
        """Returns the caller whose configured key this is. Compares every key in constant time."""
        sent = presented.encode()
        found = None
        for key, caller in self._known:
            if hmac.compare_digest(sent, key):
                found = caller
        return found

    def is_configured(self, caller_key: str | None, *, name: str) -> bool:
        """Whether the key with this fingerprint is configured now. For verifications from before
        fingerprints were stored, the caller's name decides."""
        return caller_key in self._fingerprints if caller_key else name in self._current

    def current_fingerprint(self, caller_key: str | None, *, name: str) -> str | None:
        """The fingerprint itself if its key is configured; else that of a current key of the
        caller."""
        return caller_key if caller_key in self._fingerprints else self._current.get(name)

    def link_holder(self, presented: str, verification: Verification) -> Caller | None:
        """The holder of a link of this one verification."""
        scopes = frozenset(
            scope
            for scope, signer in self._signers.items()
            if signer.verify_signature(_signed(verification), presented.encode())
        )
        return Caller("link", Power.LINK, scopes) if scopes else None

    def link_key(self, verification: Verification, scope: Scope) -> str:
        return self._signers[scope].get_signature(_signed(verification)).decode()


# How itsdangerous signs links and cookies.
SIGNED_BY: dict[str, Any] = {"key_derivation": "hmac", "digest_method": hashlib.sha256}


def signing_keys(secrets: Sequence[str], purpose: str) -> list[bytes]:
    """`secrets`: the current one first. itsdangerous signs with the last key and accepts all."""
    return [subkey(secret, purpose) for secret in reversed(secrets)]


def _signer(keys: list[bytes], salt: str) -> Signer:
    """Derives the keys of the salt here; a signer derives them anew for each signature."""
    deriving = Signer(keys, salt=salt, **SIGNED_BY)
    derived = [deriving.derive_key(key) for key in keys]
    return Signer(derived, key_derivation="none", digest_method=SIGNED_BY["digest_method"])


def _fingerprint(key: str, secret: str) -> str:
    """Returns a hash that identifies a key in the database without revealing it."""
    return hmac.digest(subkey(secret, "caller key"), key.encode(), hashlib.sha256).hex()[:16]


def _signed(verification: Verification) -> str:
    return f"{verification.nonce}.{verification.id}"
