"""Rules for secrets: each must be random, and be the secret itself, not a placeholder for it.

Every token of a list is checked like a key, since every one of them verifies signatures.
"""

import re
from itertools import pairwise
from string import digits

from bot.settings.types import Unusable
from bot.settings.words import QUOTES

SHORTEST_KEY = 16  # characters: 95 bits of random letters and digits, 64 of hexadecimal digits
SHORTEST_TOKEN = 32  # Twilio's auth tokens have 32 hexadecimal digits
FEWEST_CHARACTERS = 6  # different ones: a secret with fewer was typed, not drawn

# <your token>, [token], {{ token }}, ${TOKEN}, $TOKEN, $(command), %TOKEN%, __TOKEN__
_TEMPLATE = re.compile(
    r"<.*>|\[.*\]|\{.*\}|\$\{.*\}|\$\(.*\)|\$\w+|%\w+%|__\w+__|[.…*•·_-]+", re.DOTALL
)
_REFERENCE = re.compile(
    r"(\w+:)?//.*|arn:aws.*|/run/secrets/.*|@Microsoft\..*",  # op://…, vault://…, file:///…
    re.IGNORECASE,
)
_HEXADECIMAL = re.compile("(?:[0-9a-fA-F]{2}){8,}")
_SID = re.compile(r"[A-Z]{2}[0-9a-fA-F]{32}")
_WITH_NAME = re.compile(r"[A-Z][A-Z_]{3,}=.+")  # the line of an .env file pasted whole
_TYPED = re.compile(
    r"(change|replace)[\W_]*(me|this|it)|(key|token|secret|password)[\W_]*(goes[\W_]*)?here"
    # Rows and columns of keyboards. Four characters are in one random key of 18,000.
    r"|qwerty|asdfgh|zxcvbn|qazwsx|1qaz[2@]wsx|2wsx[3#]edc|1q2w3e|q1w2e3|1a2b3c4d",
    re.IGNORECASE,
)
_WELL_KNOWN = re.compile(r"(secret|password|example|0123456789abcdef|1234567890)+[\W\d]*", re.I)
# Published pass phrases and keys (Flask's documentation, FIPS 197), and words in hexadecimal
# digits; phone numbers.
_PUBLISHED = re.compile(
    r"correct\W*horse|this\W*is\W*(a|my|the)|i\W*love\W*you|let\W*me\W*in|trust\W*no\W*[1o]"
    r"|open\W*sesame|tr0ub4dor|deadbeef|cafebabe|feedface|baadf00d|192b9bdd22ab9ed4d12e236c78afcb9a|2b7e151628aed2a6abf7158809cf4f3c",
    re.IGNORECASE,
)
_COUNTED = re.compile("01234567|12345678|23456789|98765432|87654321|76543210")
_PHONES = re.compile(r"(\+[1-9][0-9]{6,14}\W*)+")
_AS_LETTERS = str.maketrans("013457@$", "oieastas")  # p4ssw0rd
_STAND_INS = frozenset(["placeholder", "insert", "redacted", "fixme"])
# One random key in 50,000 contains one of these, but hardly ever between marks or without a digit.
_SHORT_STAND_INS = frozenset(["your", "todo", "xxxx"])
_MARKED_STAND_IN = re.compile(
    rf"(?<![a-z0-9])({'|'.join(_SHORT_STAND_INS)})(?![a-z0-9])", re.IGNORECASE
)
# A value of these words alone is a placeholder.
_COMMON = (
    _STAND_INS
    | _SHORT_STAND_INS
    | frozenset(
        """a account admin administrator an and api app auth be change console
    contoso default demo dev development django do dummy enter example fake fallback function
    functions hello id in insecure is key keys local login long master me must my none
    not null of operator pass password paste please prod production put random real
    replace root sample secret secure server service set some string super system test
    testing tests text textback the this to token top twilio undefined unsafe user value
    verify very webhook welcome whsec with world""".split()
    )
)
# In words that are run together, "a" would match too much.
_LONGEST_FIRST = sorted((word for word in _COMMON if len(word) > 1), key=len, reverse=True)
_RUN_TOGETHER = re.compile(f"(?>{'|'.join(_LONGEST_FIRST)})+")  # atomic: no backtracking


def hard_to_guess(key: str) -> str:
    """Checks the length of one of our keys, and that it is no known example. Raises Unusable."""
    require_itself(key)
    if len(key) < SHORTEST_KEY:
        raise Unusable(f"it is shorter than {SHORTEST_KEY} characters")
    if _is_known_to_all(key):
        raise Unusable("it is easy to guess")
    if _TYPED.search(key):
        raise Unusable("it is a placeholder, not the value")
    return key


def require_itself(value: str) -> None:
    """Raises Unusable for quotes around a secret, or for something else in its place."""
    if not value:
        raise Unusable("it is empty")
    if value[0] in QUOTES or value[-1] in QUOTES:
        raise Unusable("it is in quotes, which would be part of the value")
    if _TEMPLATE.fullmatch(value):
        raise Unusable("it is a placeholder, not the value")
    if _REFERENCE.fullmatch(value):
        raise Unusable("it says where the value is kept, not the value")
    if _SID.fullmatch(value):
        raise Unusable("it is a SID of Twilio's, which is no secret")
    if _WITH_NAME.fullmatch(value):
        raise Unusable("it begins with the name of a variable")


def weakness(value: str, *, is_token: bool) -> str | None:
    """Why a value is probably not random, or is no auth token; None: it looks sound. With a
    simulator a weak value is accepted."""
    if _has_stand_in(value):
        return "it is a placeholder, not the value"
    if not value.isascii() or not value.isprintable() or " " in value:
        return "it holds a blank, or another character that no key or token has"
    if is_token and len(value) < SHORTEST_TOKEN:
        return f"it is shorter than {SHORTEST_TOKEN} characters"
    if _is_typed(value):
        return "it is easy to guess"
    if is_token and not value.isalnum():
        return "it holds a character that no auth token has"
    return None


def _has_stand_in(value: str) -> bool:
    words = [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", value)]
    is_wordy = _is_most_of("".join(words), value)
    return bool(
        _TYPED.search(value)
        or _MARKED_STAND_IN.search(value)
        or _STAND_INS.intersection(words)
        or (_SHORT_STAND_INS.intersection(words) and not re.search("[0-9]", value))
        or (is_wordy and _COMMON.issuperset(words))
        or _runs_words_together(value.lower())
        or _runs_words_together(value.lower().strip(digits).translate(_AS_LETTERS))
    )


def _runs_words_together(value: str) -> bool:
    letters = re.sub("[^a-z]", "", value)
    is_wordy = _is_most_of(letters, value) and len(set(letters)) > 1
    return is_wordy and bool(_RUN_TOGETHER.fullmatch(letters))


def _is_most_of(letters: str, value: str) -> bool:
    return len(letters) >= max(FEWEST_CHARACTERS, len(value) / 2)


def _is_known_to_all(value: str) -> bool:
    return len(set(value)) < FEWEST_CHARACTERS or bool(_WELL_KNOWN.fullmatch(value))


def _is_typed(value: str) -> bool:
    if _is_known_to_all(value) or _PUBLISHED.search(value) or _PHONES.fullmatch(value):
        return True
    if _COUNTED.search(value):
        return True
    if any(value == (value[:n] * len(value))[: len(value)] for n in range(1, len(value) // 2 + 1)):
        return True  # the same again and again
    return _is_counted(value.encode()) or (
        bool(_HEXADECIMAL.fullmatch(value)) and _is_counted(bytes.fromhex(value))
    )


def _is_counted(values: bytes) -> bool:
    """Whether most of them go up or down by one, or stay the same."""
    steps = [abs(b - a) for a, b in pairwise(values)]
    return 5 * sum(step <= 1 for step in steps) >= 3 * len(steps)
