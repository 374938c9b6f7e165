"""The meaning of a channel's error codes, in sentences that faces may show."""

from bot.channels.twilio.error_codes import WITHHELD
from bot.channels.twilio.errors import sentence, with_advice

__all__ = ["WITHHELD", "sentence", "with_advice"]
