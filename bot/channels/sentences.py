"""The meaning of a channel's error codes, in sentences that faces may show."""

from bot.channels.twilio.errors import sentence, with_advice
from bot.channels.twilio.reply_errors import WITHHELD

__all__ = ["WITHHELD", "sentence", "with_advice"]
