"""Textback verifies that a person holds a phone number: it texts a code, the person texts it back.

app.py          create_app: builds the service, registers faces
service.py      one typed object with what faces work with
settings/       the environment, read once
domain/         the rules of a verification: values in, values out
wording/        every sentence that is texted
store/          SQL, transactions, leases; SQLite and PostgreSQL
admission/      may this start go ahead?
usecases/       what can be done, each a function of one transaction
explanations/   what happened and why, in plain words for operators
webhooks/       outcome events: body, signature, one call
outbound/       calls to other hosts: their deadline, and where they may go
channels/       gateway.py is what the rest sees; twilio/ is behind it
dispatch/       the dispatcher: a loop that sends and expires, a list of duties
http/           what faces share: keys, access, waiting, headers, errors
faces/          the ways in: each a closed package
server/         how gunicorn runs all this
observability/  logs, metrics, shared counters
concurrency/    threads, greenlets and what may hold them up

docs/architecture.md tells more.
"""

__version__ = "0.2.0"
