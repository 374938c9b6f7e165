"""Posts inbound texts and delivery reports to an application as Twilio does, with signatures."""

import random
import time
import xml.etree.ElementTree as ET
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import parse_qs, urldefrag

import requests
from twilio.request_validator import RequestValidator

from simulator import faults
from simulator.faults import Faults
from simulator.world import START_WORDS, STOP_WORDS, Message, World

# Twilio gives an application 15 seconds for the whole exchange.
TIMEOUT_SECONDS = 15
REPORTS_AT_ONCE = 16
KEPT_ANSWERS = 5  # of each phone, for the page

STOPPED = "You have successfully been unsubscribed. You will not receive any more messages."
STARTED = "You have successfully been re-subscribed to messages from this number."
HELPED = "Reply STOP to unsubscribe. Msg&Data Rates May Apply."
_SAID = (
    dict.fromkeys(STOP_WORDS, STOPPED)
    | dict.fromkeys(START_WORDS, STARTED)
    | dict.fromkeys(("HELP", "INFO"), HELPED)
)


@dataclass(frozen=True)
class Answer:
    """The answer of the webhook: its status (0: none came), and its body."""

    status: int
    body: str


class Webhooks:
    def __init__(
        self, world: World, troubles: Faults, *, report_delay_seconds: float, ca_file: str = ""
    ) -> None:
        self._world = world
        self._faults = troubles
        self._report_delay_seconds = report_delay_seconds
        self._validator = RequestValidator(world.account.auth_token)
        self._answers: dict[str, deque[Answer]] = {}
        self._pool = ThreadPoolExecutor(REPORTS_AT_ONCE, "webhook")
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = ca_file or True
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=64)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def answers(self, phone: str) -> list[Answer]:
        """The answers of the webhook to the last texts of a phone, oldest first."""
        return list(self._answers.get(phone, ()))

    def receive(self, phone: str, body: str) -> Answer:
        """Receives a text from a phone: lists it, posts it, and sends the replies."""
        answer = self._receive(phone, body)
        self._answers.setdefault(phone, deque(maxlen=KEPT_ANSWERS)).append(answer)
        return answer

    def _receive(self, phone: str, body: str) -> Answer:
        message = self._world.inbound(sender=phone, body=body)
        self._answer_keyword(phone, body)
        withheld = self._faults.take(faults.WITHHOLD, phone)
        if withheld:
            self._world.set_status(message.sid, "failed", withheld.code)
            self._world.erase(message.sid)
            return Answer(0, f"not posted: withheld with {withheld.code}, on request")
        if self._faults.take(faults.WEBHOOK_NEVER, phone):
            return Answer(0, "not posted, on request")
        times = 2 if self._faults.take(faults.WEBHOOK_TWICE, phone) else 1
        answers = [self.post_inbound(message) for _ in range(times)]
        self._send_replies(phone, answers[0])
        return answers[-1]

    def post_inbound(self, message: Message) -> Answer:
        """Posts an inbound message, with repeats as the fragment of the address asks for."""
        url, fragment = urldefrag(self._world.inbound_url)
        if not url:
            return Answer(0, "the number has no webhook, nor has its service")
        wanted = parse_qs(fragment)
        repeats = int(wanted.get("rc", ["1"])[0])
        policies = wanted.get("rp", ["ct"])[0].split(",")
        answer = self._post(url, self._inbound_form(message))
        while repeats > 0 and _is_repeated(answer, policies):
            repeats -= 1
            answer = self._post(url, self._inbound_form(message))
        return answer

    def report(self, message: Message) -> Future[None] | None:
        """Posts delivery reports of a message in the background."""
        if self._faults.take(faults.REPORTS_NEVER, message.recipient):
            return None
        return self._pool.submit(self._report, message)

    def post_report(self, message: Message, status: str, error_code: int | None = None) -> Answer:
        form = {
            "MessageSid": message.sid,
            "SmsSid": message.sid,
            "MessageStatus": status,
            "SmsStatus": status,
            "To": message.recipient,
            "From": message.sender,
            "AccountSid": self._world.account.sid,
            "ApiVersion": "2010-04-01",
        }
        if error_code is not None:
            form["ErrorCode"] = str(error_code)
        return self._post(message.status_callback, form)

    def stop(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._session.close()

    def _report(self, message: Message) -> None:
        fault = self._faults.take(faults.REPORT_ERROR, message.recipient)
        steps = [("sent", None), ("undelivered", fault.code) if fault else ("delivered", None)]
        if self._faults.take(faults.REPORTS_SHUFFLED, message.recipient):
            steps = [*reversed(steps), random.choice(steps)]
        for status, error_code in steps:
            time.sleep(self._report_delay_seconds)
            self._world.set_status(message.sid, status, error_code)
            if message.status_callback:
                self.post_report(message, status, error_code)

    def _answer_keyword(self, phone: str, body: str) -> None:
        said = _SAID.get(body.strip().upper())
        if said is not None and not self._world.number.is_short_code:
            self._world.outbound(recipient=phone, body=said, direction="outbound-reply")

    def _send_replies(self, phone: str, answer: Answer) -> None:
        if answer.status != 200 or self._world.has_opted_out(phone):
            return
        for said in ET.fromstring(answer.body).iter("Message"):
            self._world.outbound(
                recipient=phone, body="".join(said.itertext()), direction="outbound-reply"
            )

    def _inbound_form(self, message: Message) -> dict[str, str]:
        form = {
            "ToCountry": "US",
            "ToState": "",
            "SmsMessageSid": message.sid,
            "NumMedia": "0",
            "ToCity": "",
            "FromZip": "",
            "SmsSid": message.sid,
            "FromState": "",
            "SmsStatus": "received",
            "FromCity": "",
            "Body": message.body,
            "FromCountry": "US",
            "To": message.recipient,
            "ToZip": "",
            "NumSegments": "1",
            "MessageSid": message.sid,
            "AccountSid": self._world.account.sid,
            "From": message.sender,
            "ApiVersion": "2010-04-01",
        }
        if message.service_sid:
            form["MessagingServiceSid"] = message.service_sid
        return form

    def _post(self, url: str, form: dict[str, str]) -> Answer:
        headers = {
            "X-Twilio-Signature": self._validator.compute_signature(url, form),
            "User-Agent": "TwilioProxy/1.1",
        }
        try:
            response = self._session.post(
                url, data=form, headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False
            )
        except requests.RequestException as error:
            return Answer(0, type(error).__name__)
        return Answer(response.status_code, response.text)


def _is_repeated(answer: Answer, policies: list[str]) -> bool:
    if answer.status == 0:
        return "ct" in policies or "all" in policies
    if answer.status >= 500:
        return "5xx" in policies or "all" in policies
    return answer.status >= 400 and ("4xx" in policies or "all" in policies)
