"""Twilio's client, which talks to Textback: the lines of docs/verify.md. This file is the whole
difference between this application and one that uses Twilio Verify."""

import re

from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client


class TextbackHttpClient(TwilioHttpClient):
    def __init__(self, base_url):
        super().__init__(timeout=10)  # seconds; without it, Twilio's client waits for ever
        self.base_url = base_url

    def request(self, method, url, *args, **more):
        url = re.sub(r"^https://verify[^/]*\.twilio\.com", self.base_url, url)
        return super().request(method, url, *args, **more)


def textback_client(base_url, function_key):
    return Client("textback", function_key, http_client=TextbackHttpClient(base_url))
