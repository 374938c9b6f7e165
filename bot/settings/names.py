"""Variables whose names look like those of settings. Textback does not read them, so it warns."""

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache

# Twilio's own command line reads these.
_OF_OTHERS = frozenset(["TWILIO_PROFILE", "TWILIO_LOG_LEVEL"])
# Names that other programs use, too far from ours to be guessed.
_ELSEWHERE = {
    "TWILIOSID": "TWILIO_ACCOUNT_SID",
    "TWILIOFROM": "TWILIO_PHONE_NUMBER",
    "MESSAGINGSERVICESID": "TWILIO_MESSAGING_SERVICE_SID",
    "WINDOWSEC": "WINDOW_SECONDS",
    "SENDWITHIN": "SEND_WITHIN_SECONDS",
    "CODELEN": "CODE_LENGTH",
    "MAXTRIE": "MAX_ATTEMPTS",
    "DEFAULTLANGUAGE": "DEFAULT_LOCALE",
    "DISPATCHER": "DISPATCH",
}
# Shorter names of ours (HOST, PORT, DISPATCH) are near to too many others.
_SHORTEST = 9
_ALIKE = 0.87
_ALIKE_OF_TWILIO = 0.7  # of a name that begins with TWILIO_, which other programs rarely use
# Kubernetes and Docker set such values for a service or container named textback.
_OF_A_LINK = re.compile(r"(tcp|udp|sctp)://")


def unread(
    environment: Mapping[str, str], ours: Iterable[str], aliases: Iterable[str]
) -> Iterator[str]:
    """A sentence for each name that looks like one of ours. `aliases` are read too."""
    known = frozenset(ours)
    squeezed = {_squeezed(name): name for name in sorted(known)}
    for name in sorted(environment.keys() - known - frozenset(aliases) - _OF_OTHERS):
        meant = None if _OF_A_LINK.match(environment[name]) else _meant(name, squeezed)
        if meant is not None:
            yield f"{name} is not read. The variable is {meant}."


def _meant(name: str, squeezed: Mapping[str, str]) -> str | None:
    """Returns the setting that a similar name probably means.

    >>> _meant("windowSecond", {"WINDOWSECOND": "WINDOW_SECONDS"})
    'WINDOW_SECONDS'
    >>> _meant("HOSTNAME", {"HOST": "HOST"}) is None
    True
    """
    short = _squeezed(name)
    if short in squeezed or short in _ELSEWHERE:
        return squeezed.get(short) or _ELSEWHERE[short]
    is_of_twilio = short.startswith("TWILIO")
    if len(short) < _SHORTEST:
        return None
    candidates = [one for one in squeezed if len(one) >= _SHORTEST]
    cutoff = _ALIKE_OF_TWILIO if is_of_twilio else _ALIKE
    close = get_close_matches(short, candidates, n=1, cutoff=cutoff)
    if not close or (not is_of_twilio and _is_prefixed(short, close[0])):
        return None
    return squeezed[close[0]]


def _is_prefixed(name: str, ours: str) -> bool:
    """Whether it is another program's variable, such as DEV_DATABASE_URL, not a typing error."""
    return len(name) > len(ours) + 1 and (name.startswith(ours) or name.endswith(ours))


@lru_cache(maxsize=256)
def _squeezed(name: str) -> str:
    """A name without its parts that are mistaken most often: case, underscores, a plural, our name.

    >>> _squeezed("textback_Limits_PerNumber")
    'LIMITPERNUMBER'
    """
    words = re.split(r"[^A-Za-z0-9]+|(?<=[a-z])(?=[A-Z])", name)
    letters = [re.sub(r"(?<=[A-Z])S$", "", word.upper()) for word in words if word]
    return "".join(letters).removeprefix("TEXTBACK")
