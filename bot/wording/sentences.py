"""Every sentence that is translated, in English: the keys of the catalogues. The answers to HELP
and STOP are in English alone (`wording.help_text`).

`N_` marks a sentence for `make languages`, which collects them. None needs a plural form: a number
stands apart from the noun that it counts. docs/languages.md tells how a language is added.
"""


def N_(sentence: str) -> str:
    return sentence


# The text with the code, where it is answered by text alone.
REPLY_SECONDS = N_(
    "Your verification code is {code}. Reply with just these {digits} digits"
    " within {seconds} seconds. Ref {reference}"
)
REPLY_MINUTES = N_(
    "Your verification code is {code}. Reply with just these {digits} digits"
    " within {minutes} minutes. Ref {reference}"
)
# Where that does not fit one segment.
REPLY_SECONDS_SHORT = N_("Code {code}. Reply with it within {seconds} s. Ref {reference}")
REPLY_MINUTES_SHORT = N_("Code {code}. Reply with it within {minutes} min. Ref {reference}")

# The text with the code, where it may be entered in a form as well.
ENTER_SECONDS = N_(
    "Your verification code is {code}. Enter it, or reply with just these {digits} digits,"
    " within {seconds} seconds. Ref {reference}"
)
ENTER_MINUTES = N_(
    "Your verification code is {code}. Enter it, or reply with just these {digits} digits,"
    " within {minutes} minutes. Ref {reference}"
)
ENTER_SECONDS_SHORT = N_("Code {code}. Enter it or reply within {seconds} s. Ref {reference}")
ENTER_MINUTES_SHORT = N_("Code {code}. Enter it or reply within {minutes} min. Ref {reference}")

# After it, where there is room. NO stays in Latin letters.
NOT_YOU = N_("Not you? Reply NO")

# Answers to a reply.
APPROVED = N_("Thank you, this number is verified.")
WRONG = N_("That code is not right. Tries left: {left}")
OUT_OF_TRIES = N_("That code is not right and no tries are left. Please start again.")
TOO_LATE = N_("That code has expired. Please start again.")
HINT = N_("Please reply with just the {digits} digits.")
OLDER_TEXT = N_("That code is from an older text. Please use the newest one.")
ALREADY_VERIFIED = N_("This number is already verified.")
NO_LONGER_NEEDED = N_("That code is no longer needed.")
DISOWNED = N_("Thank you. No more codes are sent to this number today.")

# The reply of a person who did not ask for the code, in their own language: one word, or several
# separated by commas. NO is understood in every language.
NO_WORDS = N_("no")
