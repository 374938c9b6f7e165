"""The meaning of a channel's error codes, in sentences that faces may show."""

from bot.channels.twilio.errors import sentence, told
from bot.channels.twilio.troubles import WITHHELD

__all__ = ["WITHHELD", "sentence", "told"]
