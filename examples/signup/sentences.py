"""Sentences for people: one for each of Textback's code words and for each outcome."""

from dataclasses import dataclass

OUR_TROUBLE = "Something is wrong on our side, not on yours. Please try again later."

# Of a start, an answer or a resend that Textback refused. {wait} says when to try again.
REFUSALS = {
    # The person can do something about it.
    "invalid_number": "This does not look like a phone number. Check the country and the digits.",
    "cannot_receive_texts": "This number cannot receive texts. Enter the number of a mobile phone.",
    "country_not_allowed": "We cannot text numbers of this country yet. Do you have another one?",
    "opted_out": "This number has asked us to send no more texts. Text START to our number first,"
    " or enter another one.",
    "disowned": "The person at this number told us today that they had not asked for a code. Text"
    " START to our number first, or enter another one.",
    "number_busy": "This number is being verified somewhere else at the moment. Try again {wait}.",
    "limit_reached": "We have sent too many texts to this number. Try again {wait}.",
    "breaker_open": "We cannot text numbers of this area at the moment. Try again {wait}, or enter"
    " another number.",
    "too_late_to_resend": "There is not enough time left for another text. Start again below.",
    "sends_used": "We cannot send this code again. Start again below.",
    "invalid_answer": "A code has digits only, as in the text.",
    # Waiting helps.
    "queue_too_long": "Too many texts are waiting, so yours would be late. Try again {wait}.",
    "sender_unavailable": "We cannot send texts at the moment. Try again {wait}.",
    "still_counting": "We are just starting. Try again {wait}.",
    "store_unavailable": "We cannot do this at the moment. Try again {wait}.",
    "unreachable": "We cannot do this at the moment. Try again {wait}.",
    # The person's page is behind.
    "already_finished": "This verification is over already.",
    "unknown_verification": "This verification is no longer there. Start again below.",
}
# Every other word (unauthorized, forbidden, invalid_start, invalid_json, body_too_large …) is a
# fault of this program or its settings, which no person can do anything about.
SAID_AT_THE_NUMBER = {
    "invalid_number",
    "cannot_receive_texts",
    "country_not_allowed",
    "opted_out",
    "disowned",
    "number_busy",
    "limit_reached",
    "breaker_open",
}


def refusal(code: str, wait: int | None) -> str:
    """
    >>> refusal("limit_reached", 240)
    'We have sent too many texts to this number. Try again in 4 minutes.'
    """
    return REFUSALS.get(code, OUR_TROUBLE).replace("{wait}", when(wait))


def when(seconds: int | None) -> str:
    """
    >>> when(None), when(1), when(90), when(7200)
    ('in a moment', 'in a moment', 'in 2 minutes', 'in 2 hours')
    """
    if seconds is None or seconds <= 5:
        return "in a moment"
    if seconds < 60:
        return f"in {seconds} seconds"
    minutes = -(-seconds // 60)
    if minutes < 90:
        return f"in {minutes} minute{'s' if minutes > 1 else ''}"
    return f"in {-(-minutes // 60)} hours"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`way` is what the person most likely wants next: continue, again or change."""

    status: str
    cause: str | None  # None: any other of this status
    title: str
    sentence: str
    way: str


OUTCOMES = [
    Outcome(
        "approved", None, "Your number is verified", "That was all. Welcome to Juniper.", "continue"
    ),
    Outcome(
        "expired",
        None,
        "That code has expired",
        "No reply with the right code reached us in time. A new text brings a new code.",
        "again",
    ),
    Outcome(
        "max_attempts_reached",
        None,
        "No tries left",
        "The codes that we got were not the one in the text. A new text brings a new code.",
        "again",
    ),
    Outcome(
        "canceled",
        "opted_out",
        "You have asked for no more texts",
        "We got a STOP from this number and will not text it. If that was a mistake, reply START to"
        " the text, then start again.",
        "change",
    ),
    Outcome(
        "canceled",
        "disowned",
        "You told us that this was not you",
        "We got a NO from this number and will send it no code today. If that was a mistake, reply"
        " START to the text, then start again.",
        "change",
    ),
    Outcome(
        "canceled",
        "superseded",
        "Another text was asked for",
        "Somebody has asked for another text to this number since. If that was not you, do not"
        " answer that text; start again here.",
        "again",
    ),
    Outcome(
        "canceled",
        None,
        "This was cancelled",
        "Nothing was verified. Start again whenever you like.",
        "again",
    ),
    Outcome(
        "failed",
        "not_delivered",
        "The text did not reach you",
        "The network could not deliver it to this number. Check the number.",
        "change",
    ),
    Outcome(
        "failed",
        "send_refused",
        "We could not text this number",
        "It may not be able to receive texts. Check the number, or try another one.",
        "change",
    ),
    Outcome(
        "failed",
        None,
        "The text could not be sent",
        "This was our fault, not yours. Please start again.",
        "again",
    ),
]
