"""Textback verifies that a person holds a phone number: it texts a code, the person texts it back.

domain/     the rules of a verification: values in, values out
store/      SQL, transactions, leases
usecases/   what can be done, each a function of one transaction
dispatch/   background duties: send what is queued, expire what is due, catch up after a start
sms/        the phone network, both ways: Twilio's REST client, webhooks, TwiML
durable/    the Durable Functions face: routes and payloads
app.py joins them all; settings.py, keys.py, health.py and cli.py stand at the door.
"""
