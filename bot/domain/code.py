"""Derives the code of a challenge when it is needed; the code is never stored.

HMAC-SHA256 of a random nonce under a subkey of SECRET_KEY, read as one large number and reduced to
as many digits as the verification asks for. 2**256 is so much larger than 10**10 that no code is
noticeably likelier than another. A repeated send carries the same code, and a stolen database
holds none.
"""

import hashlib
import hmac
from collections.abc import Sequence

from bot.domain.verification import Verification


def subkey(secret: str, purpose: str) -> bytes:
    """Derives a key for one purpose, so that a leaked key is useless for any other purpose."""
    return hmac.digest(secret.encode(), f"textback {purpose}".encode(), hashlib.sha256)


def key_id_of(secret: str) -> str:
    """Returns an id of a secret key that does not reveal the key."""
    return subkey(secret, "key id").hex()[:12]


def keyed(key: bytes) -> hmac.HMAC:
    """HMAC-SHA256 with its key already hashed, which is half of the work for a short message."""
    return hmac.new(key, digestmod=hashlib.sha256)


def digest_of(message: bytes, keyed: hmac.HMAC) -> bytes:
    """The HMAC of a message. `keyed` is not changed, so it serves for any number of messages."""
    begun = keyed.copy()
    begun.update(message)
    return begun.digest()


class Keyring:
    """The secret keys that codes are derived from: the current key first, then the fallbacks."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._codes = {key_id_of(s): keyed(subkey(s, "code")) for s in secrets}
        self._guesses = {key_id_of(s): keyed(subkey(s, "guess")) for s in secrets}
        self.current_id = key_id_of(secrets[0])
        self.ids = frozenset(self._codes)

    def code(self, *, key_id: str, nonce: str, length: int) -> str:
        """The code: `length` ASCII digits, leading zeros kept. KeyError: that key is retired."""
        digest = digest_of(nonce.encode(), self._codes[key_id])
        return str(int.from_bytes(digest) % 10**length).zfill(length)

    def knows(self, v: Verification) -> bool:
        """Whether the code of a verification can be derived: its key is not retired."""
        return v.key_id in self._codes

    def code_of(self, v: Verification) -> str:
        """Raises KeyError if its key is retired."""
        return self.code(key_id=v.key_id, nonce=v.nonce, length=v.terms.code_length)

    def guess_mark(self, *, key_id: str, nonce: str, digits: str) -> str:
        """A keyed hash of a wrong guess, stored to recognise its repetition. A plain hash of four
        digits could be reversed at once. KeyError: that key is retired."""
        message = f"{nonce} {digits}".encode()
        return digest_of(message, self._guesses[key_id]).hex()[:16]


def is_same(one: str, other: str) -> bool:
    """Compares in constant time, so that the duration reveals nothing about the digits."""
    return hmac.compare_digest(one.encode(), other.encode())
