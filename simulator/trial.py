"""`python -m simulator.trial`: verify a simulated phone with a service that is deployed.

The program reads the settings of the service: from the environment, else from `.env` in the working
directory. The simulator of Twilio listens at TWILIO_API_BASE_URL, on this machine. The phone is
verified through PUBLIC_BASE_URL, so a proxy in front of the service is tested as well.
"""

import argparse
import os
import re
import sys
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests
from dotenv import dotenv_values

from simulator.caller import START
from simulator.server import Simulator
from simulator.world import Account, Number

PHONE = "+14255550123"
WAIT_SECONDS = 40.0
PAUSE_SECONDS = 0.1
REQUIRED = (
    "PUBLIC_BASE_URL",
    "TWILIO_API_BASE_URL",
    "TWILIO_ACCOUNT_SID",
    "TWILIO_AUTH_TOKEN",
    "TWILIO_PHONE_NUMBER",
    "FUNCTION_KEY",
)


class Failed(Exception):
    """Names the step that failed."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Verify a simulated phone.")
    parser.add_argument("--ca", default="", metavar="FILE", help="a local certificate authority")
    parser.add_argument("--phone", default=PHONE, metavar="NUMBER")
    options = parser.parse_args(arguments)
    settings = {**dotenv_values(".env"), **os.environ}
    missing = [name for name in REQUIRED if not settings.get(name)]
    if missing:
        print(f"Not set: {', '.join(missing)}", file=sys.stderr)
        return 2
    needed = {name: settings[name] or "" for name in REQUIRED}
    simulator = _simulator(needed, options.ca)
    simulator.start()
    try:
        _verify(simulator, needed, phone=options.phone, ca_file=options.ca)
    except (Failed, requests.RequestException) as error:
        print(f"Not verified: {error}", file=sys.stderr)
        return 1
    finally:
        simulator.stop()
    return 0


def _simulator(settings: dict[str, str], ca_file: str) -> Simulator:
    base_url = settings["PUBLIC_BASE_URL"].rstrip("/")
    here = urlsplit(settings["TWILIO_API_BASE_URL"])
    return Simulator(
        Account(settings["TWILIO_ACCOUNT_SID"], settings["TWILIO_AUTH_TOKEN"].split(",")[0]),
        Number(settings["TWILIO_PHONE_NUMBER"], sms_url=f"{base_url}/twilio/sms#rc=2&rp=5xx,ct,rt"),
        host=here.hostname or "127.0.0.1",
        port=here.port or 80,
        ca_file=ca_file,
    )


def _verify(simulator: Simulator, settings: dict[str, str], *, phone: str, ca_file: str) -> None:
    base_url = settings["PUBLIC_BASE_URL"].rstrip("/")
    key = re.split("[:,]", settings["FUNCTION_KEY"])
    with requests.Session() as http:
        http.trust_env = False
        http.verify = ca_file or True
        _until("it answers", lambda: _answers(http, base_url))
        headers = {"x-functions-key": key[1] if ":" in settings["FUNCTION_KEY"] else key[0]}
        response = http.post(base_url + START, json=phone, headers=headers, timeout=10)
        if response.status_code != 202:
            raise Failed(f"the start was answered {response.status_code}: {response.text}")
        started = response.json()
        print(f"Started at {base_url}, reference {started['reference']}.")
        code = _until("the text arrives", lambda: _code(simulator, phone, started["reference"]))
        print("The phone has the text and replies with its code.")
        answer = simulator.webhooks.receive(phone, code)
        if answer.status != 200:
            raise Failed(f"the webhook was answered {answer.status or answer.body}")
        status = http.get(started["statusQueryGetUri"], timeout=10).json()
        if status["output"] is not True:
            raise Failed(f"the status is {status}")
    print(f"Verified: {status['runtimeStatus']}, {status['customStatus']['status']}.")


def _answers(http: requests.Session, base_url: str) -> bool:
    try:
        return http.get(f"{base_url}/healthz", timeout=5).ok
    except requests.ConnectionError:
        return False


def _code(simulator: Simulator, phone: str, reference: str) -> str | None:
    for message in simulator.world.of_phone(phone):
        if message.recipient == phone and f"Ref {reference}" in message.body:
            found = re.search(r"\b[0-9]{4,10}\b", message.body)
            return found and found[0]
    return None


def _until(what: str, find: Callable[[], Any]) -> Any:
    ends = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < ends:
        found = find()
        if found:
            return found
        time.sleep(PAUSE_SECONDS)
    raise Failed(f"{WAIT_SECONDS:.0f} seconds went by before {what}")


if __name__ == "__main__":
    sys.exit(main())
