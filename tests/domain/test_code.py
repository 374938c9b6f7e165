"""Codes: derived, even, padded."""

from collections import Counter

import pytest

from bot.domain.code import Keyring, is_same, subkey


def test_a_code_has_its_digits_and_keeps_its_zeros() -> None:
    keyring = Keyring(["one"])
    codes = [
        keyring.code(key_id=keyring.current_id, nonce=str(number), length=4)
        for number in range(3000)
    ]
    assert all(len(code) == 4 and code.isascii() and code.isdigit() for code in codes)
    assert any(code.startswith("0") for code in codes)


def test_digits_are_spread_evenly() -> None:
    keyring = Keyring(["one"])
    nonces = map(str, range(5000))
    digits = "".join(
        keyring.code(key_id=keyring.current_id, nonce=nonce, length=4) for nonce in nonces
    )
    counts = Counter(digits)
    assert all(abs(counts[digit] - 2000) < 200 for digit in "0123456789")


def test_a_repeated_send_carries_the_same_code() -> None:
    first, second = Keyring(["one"]), Keyring(["one"])
    assert first.code(key_id=first.current_id, nonce="n", length=6) == second.code(
        key_id=second.current_id, nonce="n", length=6
    )


def test_fallback_keys_serve_what_is_in_flight_and_others_are_retired() -> None:
    old, rotated = Keyring(["old"]), Keyring(["new", "old"])
    code = old.code(key_id=old.current_id, nonce="n", length=4)
    assert rotated.code(key_id=old.current_id, nonce="n", length=4) == code
    assert rotated.current_id != old.current_id
    with pytest.raises(KeyError):
        Keyring(["new"]).code(key_id=old.current_id, nonce="n", length=4)


def test_every_purpose_has_a_key_of_its_own() -> None:
    assert len({subkey("one", purpose) for purpose in ("code", "links", "key id")}) == 3


def test_a_mark_of_a_guess_depends_on_the_key() -> None:
    """Without the key, ten thousand hashes would reveal any guess."""
    marks = {
        keyring.guess_mark(key_id=keyring.current_id, nonce="00" * 16, digits="4711")
        for keyring in (Keyring(["one"]), Keyring(["another"]))
    }
    assert len(marks) == 2


def test_codes_are_compared_whole() -> None:
    assert is_same("0042", "0042")
    assert not is_same("0042", "42")
