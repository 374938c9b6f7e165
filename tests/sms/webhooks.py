"""Posts texts and reports to the webhooks, signed as Twilio signs them."""

import requests
from twilio.request_validator import RequestValidator

from simulator.world import new_sid
from tests.harness import ACCOUNT, NUMBER, PHONE, Harness


def signed(harness: Harness, path: str, form, *, token: str = ACCOUNT.auth_token, url: str = ""):
    wire = requests.Request("POST", url or harness.url + path).prepare().url
    signature = RequestValidator(token).compute_signature(wire, form)
    headers = {"X-Twilio-Signature": signature}
    return harness.call("POST", path, key=None, data=form, headers=headers)


def sms(harness: Harness, body: str, path: str = "/twilio/sms", **more):
    form = {
        "MessageSid": new_sid("SM"),
        "AccountSid": ACCOUNT.sid,
        "From": PHONE,
        "To": NUMBER,
        "Body": body,
    }
    form = {name: value for name, value in {**form, **more}.items() if value is not None}
    return signed(harness, path, form)


def used(harness: Harness, id: str) -> int:
    return harness.status(id)["customStatus"]["attemptsUsed"]


def report(harness: Harness, id: str, status: str, *, code: int | None = None, sid: str = ""):
    text = harness.view(id).text
    form = {"MessageSid": sid or text.sid, "MessageStatus": status, "AccountSid": ACCOUNT.sid}
    if code:
        form["ErrorCode"] = str(code)
    return signed(harness, f"/twilio/status/{text.id}", form)
