"""Textback, and beside it a plain route of the same gunicorn: reads the same form, answers with the
same TwiML, and does nothing in between."""

from flask import Response, request

from wsgi import app

ANSWER = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    "<Response><Message>Thank you, this number is verified.</Message></Response>"
)


@app.post("/plain")
def plain() -> Response:
    assert request.form["MessageSid"]
    assert request.form["Body"]
    return Response(ANSWER, mimetype="text/xml")
