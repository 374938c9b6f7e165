"""A local simulator of Twilio: the part of its REST API that Textback uses, phones, and
webhooks with real signatures.

world.py     phones, messages, numbers, opt-outs: its memory
api.py       Twilio's REST API over that memory
webhooks.py  inbound texts and delivery reports, signed and posted
faults.py    what goes wrong on request
caller.py    starts verifications, as a form of a caller's would
statuses.py  what Textback says of each phone's newest verification
spelling.py  numbers as Textback spells them
page.py      phones on a screen, and its own small API
run.py       `make run`: simulator and service together

Textback reaches it through TWILIO_API_BASE_URL and does not know that it is not the cloud.
"""
