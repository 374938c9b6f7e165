"""Twilio Verify's API, so that programs written for it work against this service: they change the
address that their client talks to, its credentials, and the sid of the service.

routes.py   the routes
forms.py    reading form-encoded parameters
shapes.py   the JSON of services, verifications and checks
errors.py   refusals as Verify's error codes
openapi.py  this face's part of the description
"""

from bot.faces.verify.openapi import part
from bot.faces.verify.routes import blueprint

__all__ = ["blueprint", "part"]
