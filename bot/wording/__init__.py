"""Every sentence sent by text, plain GSM-7 and one segment each: longer ones cost twice."""

from string import Formatter

from bot.domain.transitions import Answer
from bot.domain.verification import Terms, Verification

CHALLENGE = (
    "Your verification code is {code}. Reply with just these {digits} digits"
    " within {seconds} seconds. Ref {reference}"
)
# Where the code may be entered in a form, too.
ENTER_OR_REPLY = (
    "Your verification code is {code}. Enter it, or reply with just these {digits} digits,"
    " within {seconds} seconds. Ref {reference}"
)
FIELDS = frozenset(["service", "code", "digits", "seconds", "reference"])

# GSM 03.38: characters of one septet, and those that take two.
_GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM7_TWICE = frozenset("^{}\\[~]|€\f")
SEGMENT_SEPTETS = 160

# Letters that are not mistaken for each other or for digits, and spell no words.
REFERENCE_LETTERS = "BCDFGHJKMNPQRTVWXYZ"


def challenge(template: str | None, *, service: str | None, terms: Terms, reference: str) -> str:
    """The text of one verification, with {code} still in it: the code is never stored.

    >>> challenge(None, service="Contoso", terms=Terms(), reference="KP")[:42]
    'Contoso: Your verification code is {code}.'
    """
    if template in (None, ENTER_OR_REPLY):
        template = ("{service}: " if service else "") + (template or CHALLENGE)
    values = {
        "service": service or "",
        "code": "{code}",
        "digits": str(terms.code_length),
        "seconds": str(terms.window_seconds),
        "reference": reference,
    }
    return "".join(
        literal + (values[field] if field is not None else "")
        for literal, field, _, _ in Formatter().parse(template)
    )


def fill(challenge_text: str, code: str) -> str:
    """The text as it is sent."""
    return challenge_text.replace("{code}", code)


def fixed_length(template: str) -> int:
    """The longest run of characters of a template that is the same in every text, blanks in a row
    counted once, as quotes are compared."""
    return max(
        (len(" ".join(literal.split())) for literal, *_ in Formatter().parse(template)), default=0
    )


def fields(template: str) -> frozenset[str]:
    """The fields a template uses. ValueError: its braces do not match, or ask for formatting."""
    found = set()
    for _, name, form, conversion in Formatter().parse(template):
        if form or conversion:
            raise ValueError("a field may not carry a format or a conversion")
        if name is not None:
            found.add(name)
    return frozenset(found)


def septets(text: str) -> int | None:
    """The length of a text in GSM-7, or None where a character would make it UCS-2.

    >>> septets("0042 €"), septets("0042 …")
    (7, None)
    """
    total = 0
    for letter in text:
        if letter not in _GSM7 and letter not in _GSM7_TWICE:
            return None
        total += 2 if letter in _GSM7_TWICE else 1
    return total


def answer(word: Answer, verification: Verification) -> str:
    """The sentence sent back to a reply. It holds no code and nothing the person wrote."""
    match word:
        case Answer.APPROVED:
            return "Thank you, this number is verified."
        case Answer.WRONG:
            left = verification.attempts_left
            return f"That code is not right. {left} {'try' if left == 1 else 'tries'} left."
        case Answer.OUT_OF_TRIES:
            return "That code is not right and no tries are left. Please start again."
        case Answer.TOO_LATE:
            return "That code has expired. Please start again."
        case Answer.HINT:
            return f"Please reply with just the {verification.terms.code_length} digits."
        case Answer.OLDER_TEXT:
            return "That code is from an older text. Please use the newest one."
        case Answer.ALREADY_VERIFIED:
            return "This number is already verified."
        case Answer.NO_LONGER_NEEDED:
            return "That code is no longer needed."


def help_text(service: str | None) -> str:
    """The answer to HELP where no network gives one: a short code of our own."""
    who = service or "This number"
    return (
        f"{who} sends verification codes that you ask for. Reply STOP to get none."
        " Msg&data rates may apply."
    )


def stopped_text(service: str | None) -> str:
    """The answer to STOP where no network gives one."""
    return f"You get no more texts from {service or 'this number'}. Reply START to get them again."
