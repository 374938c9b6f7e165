"""A local simulator of Twilio: the part of its REST API that Textback uses, phones, and
webhooks with real signatures.

world.py          its memory: phones, messages, the number and the service, opt-outs
access.py         credentials and rights, Twilio's error bodies
api.py            messages in Twilio's REST API
configuration.py  the account, numbers and Messaging Services in Twilio's REST API
registrations.py  campaigns, toll-free verifications, geo permissions
webhooks.py       inbound texts and delivery reports, signed and posted
faults.py         faults on request
receiver.py       receives outcome webhooks, as an application does
caller.py         starts verifications over Textback's HTTP API
statuses.py       the status of each phone's newest verification
spelling.py       numbers as Textback spells them
page.py           the page of phones, and its API
server.py         all of it as one server; connections.py keeps its connections open
run.py            `make run`: simulator and service together
trial.py          verifies a simulated phone with a deployed service

Textback reaches it through TWILIO_API_BASE_URL, and then checks its settings less strictly.
"""
