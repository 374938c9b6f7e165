"""Twilio's error codes of replies that did not reach the webhook.

Source: as of `error_codes.py`.
"""

# Errors in Twilio's list of replies that it did not post to the webhook.
WITHHELD: dict[int, str] = {
    30038: "Twilio took the reply for a one-time passcode and withheld it. Ask its support to"
    " exempt the number, which receives answers to its own texts.",
    30039: "Twilio took the reply for a machine's and withheld it, as it does when texts go back"
    " and forth very often. Let the person wait a moment, then reply once more.",
}


# Replies that did not come through for other reasons.
LOST_REPLIES: dict[int, str] = {
    30009: "A part of the reply was lost on the way. Let the person reply once more.",
    **dict.fromkeys(
        (11200, 11205, 11210, 11220, 11235, 11236, 11237, 11750, 12100, 12200, 12300),
        "Twilio could not post the reply to us, or could not read our response. Check that"
        " PUBLIC_BASE_URL is reachable, then run `flask number check`.",
    ),
}
