"""Twilio's error codes: what each means for a text, and what to tell the operator.

Source: Twilio's error and warning dictionary, read in February 2025, and the sentences of its
messaging guides.
"""

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """Who must act on the error."""

    NUMBER = "number"  # this number gets no text, now or later
    OURS = "ours"  # our account, sender or settings: nothing is sent until an operator fixes it
    LIMIT = "limit"  # too many at once: not accepted, may be sent again
    PASSING = "passing"  # a temporary problem of Twilio or a carrier


# Advice for kinds whose sentences contain none.
ADVICE = {
    Kind.NUMBER: "Ask the person for another number.",
    Kind.OURS: "Fix it in Twilio's console, then start again.",
    Kind.LIMIT: "Wait a moment and start again; if it goes on, send from more numbers or have the"
    " limit raised.",
    Kind.PASSING: "Wait a moment and start again.",
}


@dataclass(frozen=True, slots=True)
class ErrorCode:
    kind: Kind
    sentence: str  # what happened
    advice: str  # what to do; empty where the sentence says it

    @property
    def with_advice(self) -> str:
        return f"{self.sentence} {self.advice}".strip()

    @property
    def is_permanent(self) -> bool:
        return self.kind in (Kind.NUMBER, Kind.OURS)


def _each(kind: Kind, sentence: str, *codes: int) -> dict[int, ErrorCode]:
    """Codes whose sentence needs the advice of their kind."""
    return dict.fromkeys(codes, ErrorCode(kind, sentence, ADVICE[kind]))


def _codes(kind: Kind, sentence: str, *codes: int) -> dict[int, ErrorCode]:
    """Codes whose sentence says what to do."""
    return dict.fromkeys(codes, ErrorCode(kind, sentence, ""))


ERROR_CODES: dict[int, ErrorCode] = {
    **_codes(
        Kind.OURS,
        "Twilio did not understand the request: a wrong parameter or version. Report it as a bug.",
        20001,
        20422,
        20423,
    ),
    **_codes(
        Kind.OURS,
        "Twilio does not accept these credentials. Check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN,"
        " or the API key, their region, and whether the account is suspended.",
        20003,
    ),
    **_codes(
        Kind.OURS,
        "These are Twilio's test credentials, which send no text. Take the live ones from the first"
        " page of Twilio's console.",
        20008,
    ),
    **_codes(
        Kind.OURS,
        "The API key may not send texts. Give it the right to create messages in Twilio's console.",
        70051,
    ),
    **_codes(
        Kind.OURS,
        "The Twilio account is a trial, which sends no texts but Twilio's own. Upgrade it.",
        572006,
    ),
    **_codes(
        Kind.OURS,
        "The Twilio account is suspended or may not send messages. See Twilio's console.",
        20005,
        20403,
        30002,
        30037,
    ),
    **_codes(
        Kind.OURS,
        "Twilio knows no such account. Check TWILIO_ACCOUNT_SID and TWILIO_API_BASE_URL.",
        20404,
    ),
    **_each(Kind.LIMIT, "Twilio is busy with too many requests of this account.", 20429),
    **_codes(
        Kind.PASSING,
        "Twilio has a fault of its own. See its status page.",
        20500,
        20503,
        20504,
        30500,
    ),
    **_codes(
        Kind.LIMIT,
        "More than 30 texts went back and forth in quick succession, so Twilio paused both"
        " numbers: look for a bot that answers automatically.",
        14107,
    ),
    **_each(Kind.NUMBER, "Twilio says this is not a phone number.", 21211, 21214, 21217, 63024),
    **_codes(
        Kind.OURS,
        "Twilio refuses the sending number. Check TWILIO_PHONE_NUMBER or the Messaging Service.",
        21212,
        21603,
    ),
    **_codes(
        Kind.OURS,
        "A trial account texts verified numbers only. Verify this one in Twilio's console, or"
        " upgrade the account.",
        21219,
        21608,
    ),
    **_each(
        Kind.NUMBER,
        "This is a short code, a premium number or the sender itself, which gets no texts.",
        21265,
        21266,
        21268,
    ),
    **_each(Kind.OURS, "A trial account cannot send from a name made of letters.", 21267),
    **_codes(
        Kind.OURS,
        "Texts to this country are switched off. Messaging Geo Permissions in Twilio's console"
        " switch them on.",
        21408,
    ),
    **_each(
        Kind.OURS,
        "The sending number is not this account's, cannot send texts, or cannot send to this"
        " country.",
        21601,
        21606,
        21659,
        21660,
        21661,
    ),
    **_codes(
        Kind.OURS,
        "Twilio found no text or no number in the request. Report it as a bug.",
        21602,
        21604,
        21619,
    ),
    **_codes(
        Kind.OURS,
        "Twilio does not take the address for delivery reports. PUBLIC_BASE_URL must be reachable"
        " from the internet.",
        21609,
    ),
    **_codes(
        Kind.NUMBER,
        "This number has texted STOP. Its holder must text START to the sending number first.",
        21610,
    ),
    **_each(Kind.LIMIT, "The sending number's queue at Twilio is full.", 21611, 30001),
    **_codes(
        Kind.NUMBER,
        "There is no route from the sending number to this one. Another sending number may reach"
        " it.",
        21612,
    ),
    **_each(Kind.NUMBER, "This is a landline or cannot get texts.", 21614, 21635, 30006),
    **_codes(Kind.OURS, "The text is too long. Shorten CHALLENGE_TEXT.", 21617),
    **_codes(Kind.OURS, "Twilio does not take the validity period. Check WINDOW_SECONDS.", 21624),
    **_codes(
        Kind.OURS,
        "The Messaging Service is unknown or has no usable sender. Check"
        " TWILIO_MESSAGING_SERVICE_SID and its sender pool.",
        21703,
        21704,
        21705,
    ),
    **_each(Kind.OURS, "Sender and recipient are of different channels.", 21910),
    **_each(Kind.OURS, "Twilio cannot look this number up.", 21421, 21422),
    **_each(Kind.PASSING, "The phone is off or out of reach.", 30003),
    **_each(
        Kind.NUMBER, "The recipient or the carrier blocks texts from the sending number.", 30004
    ),
    **_each(Kind.NUMBER, "The carrier does not know this number.", 30005),
    **_codes(
        Kind.OURS,
        "A carrier or Twilio filtered the text. Check its wording and the sender's registration.",
        30007,
    ),
    **_each(
        Kind.PASSING, "The carrier did not deliver the text and did not say why.", 30008, 30017
    ),
    **_each(Kind.PASSING, "The carrier did not answer in time.", 30410),
    **_codes(
        Kind.OURS,
        "This country wants a registered sender. Register one in Twilio's console.",
        30018,
        30024,
        30040,
        30041,
        30042,
        30043,
    ),
    **_each(
        Kind.LIMIT,
        "A limit per second or day is used up: the campaign's, the account's or the trial's.",
        30022,
        30023,
        30027,
        30454,
        63038,
    ),
    **_each(
        Kind.OURS, "Redaction is asked for but is not a feature of this account.", 30029, 30030
    ),
    **_each(Kind.OURS, "The toll-free sending number is not verified yet.", 30032),
    **_each(
        Kind.OURS,
        "The sending number's US campaign (10DLC) is missing, suspended or not ready yet.",
        30033,
        30034,
        30035,
    ),
    **_each(
        Kind.PASSING,
        "The text waited too long at Twilio and was dropped. The sending number's queue is too"
        " long.",
        30036,
    ),
    **_codes(
        Kind.PASSING,
        "Twilio's protection against SMS pumping stopped the text. Put known users on its safe"
        " list.",
        30450,
    ),
    **_each(Kind.PASSING, "Twilio suspects fraud with this number or its range.", 30453, 30485),
}
