"""The bare route that rates are compared with: a Flask application of its own, in one file.

It reads the same form as the webhook, answers with the same TwiML, and does nothing in between. It
runs under gunicorn's stock gthread worker with 16 threads and gunicorn's own access log, and
contains no code of Textback, so the comparison includes the cost of Textback's hooks and log lines.
"""

from flask import Flask, Response, request

ANSWER = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    "<Response><Message>Thank you, this number is verified.</Message></Response>"
)

app = Flask(__name__)


@app.post("/plain")
def plain() -> Response:
    assert request.form["MessageSid"]
    assert request.form["Body"]
    return Response(ANSWER, mimetype="text/xml")


@app.get("/healthz")
def healthz() -> str:
    return "alive"
