"""The status at Textback of each phone's newest verification, whether the page, curl, the console,
a command or an application started it.

New verifications are found in the list of Textback's HTTP API, and their progress is read from the
status route. Textback is polled only when the page asks for the phones, by one thread at a time: at
once after a text or a start, otherwise every second or two. If no page is open, nothing is polled.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any
from urllib.parse import quote

import requests

from simulator.spelling import line, line_of_input

INSTANCES = "/runtime/webhooks/durabletask/instances"
TOKEN = "x-ms-continuation-token"
TIMEOUT_SECONDS = 5
PATIENCE_SECONDS = 3  # less than the page's 5, so that it does not report the simulator as down
PENDING_SECONDS = 1.0  # between polls while one is pending, or Textback does not answer
IDLE_SECONDS = 2.0  # else; each poll is a line in Textback's access log
LOOK_BACK = timedelta(hours=1)  # by the first poll: as long as the longest suspension
OVERLAP = timedelta(seconds=2)  # a start may be committed after one that began later
PAGE = 200
PAGES_A_LOOK = 5
READ_A_LOOK = 20
KEPT = 2000  # phones

Json = dict[str, Any]


class NoAnswer(Exception):
    """Textback's answer was not as expected."""


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest verification of a phone."""

    id: str
    created_at: datetime  # whole seconds
    told: Json
    link: str = ""  # its read link, where this page started it

    @property
    def is_pending(self) -> bool:
        return self.told.get("status") in (None, "pending")

    @property
    def order(self) -> tuple[datetime, bool]:
        """A key to sort by. Of two that began in the same second, the pending one is newer: it
        ended the other."""
        return self.created_at, self.is_pending


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why Textback's statuses cannot be read, and since when."""

    since: datetime
    sentence: str


class Statuses:
    def __init__(
        self,
        service_url: str,
        system_key: str,
        *,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Follows, without a system key, only verifications passed to `note`, by their read
        links."""
        self._url = service_url
        self._headers = {"x-functions-key": system_key} if system_key else {}
        self._clock = clock
        self._monotonic = monotonic
        self._session = requests.Session()
        self._session.trust_env = False
        self._newest: dict[str, Newest] = {}
        self._from, self._token = clock() - LOOK_BACK, ""
        self.trouble: Trouble | None = None
        self._lock = Lock()  # for _newest, and for writing trouble
        self._pool = ThreadPoolExecutor(1, "statuses")
        self._poll: Future[None] = Future()
        self._poll.set_result(None)
        self._next_at, self._texts = 0.0, -1
        self._turn = Lock()  # so that one caller at a time decides whether to poll

    def of(self, phone: str) -> Json | None:
        with self._lock:
            newest = self._newest.get(line(phone))
        return {"id": newest.id, **newest.told} if newest else None

    def note(self, phone: str, started: Json) -> None:
        """Records a start that Textback answered with `started`."""
        told = {"reference": started["reference"]}
        now = self._clock().replace(microsecond=0)
        with self._lock:
            self._keep(line(phone), Newest(started["id"], now, told, started["statusQueryGetUri"]))
        self._texts = -1  # a poll is due

    def refresh(self, phones: Sequence[str], texts: int) -> Future[None]:
        """Polls Textback if a poll is due, and waits for it a little. `texts`: the number of texts
        so far; a poll is due at once when it has changed. Returns the newest poll."""
        with self._turn:
            is_due = self._monotonic() >= self._next_at or texts != self._texts
            if is_due and self._poll.done():
                self._texts, self._next_at = texts, self._monotonic() + PENDING_SECONDS
                self._poll = self._pool.submit(self._take, [line(phone) for phone in phones])
            poll = self._poll
        if self.trouble is None:
            wait([poll], timeout=PATIENCE_SECONDS)
        return poll

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._session.close()

    def _take(self, lines: list[str]) -> None:
        began = self._clock()
        sentence = ""
        try:
            fresh = self._discover()
            self._follow([one for one in lines if one not in fresh])
        except requests.ConnectionError:
            sentence = "Textback does not answer."
        except requests.Timeout:
            sentence = f"Textback does not answer within {TIMEOUT_SECONDS} seconds."
        except NoAnswer as error:
            sentence = str(error)
        except (requests.RequestException, LookupError, TypeError, ValueError):
            sentence = "Textback's answer cannot be read."
        with self._lock:
            since = self.trouble.since if self.trouble else began
            self.trouble = Trouble(since, sentence) if sentence else None
            is_pending = any((n := self._newest.get(one)) and n.is_pending for one in lines)
        is_soon = is_pending or sentence or self._token  # the list has more
        self._next_at = self._monotonic() + (PENDING_SECONDS if is_soon else IDLE_SECONDS)

    def _discover(self) -> set[str]:
        """Reads starts since the last poll. Returns the phones whose newest was listed."""
        if not self._headers:
            self._get(f"{self._url}/healthz")
            return set()
        listed: dict[str, Newest] = {}
        for _ in range(PAGES_A_LOOK):
            response = self._get(
                self._url + INSTANCES,
                params={"createdTimeFrom": self._from.isoformat(), "top": str(PAGE)},
                headers={TOKEN: self._token},
            )
            found = response.json()
            for status in found:
                listed[line_of_input(status["input"])] = _newest(status)
            self._token = response.headers.get(TOKEN, "")
            if not self._token:
                break
        if listed and not self._token:
            self._from = max(self._from, max(n.created_at for n in listed.values()) - OVERLAP)
        with self._lock:
            for phone, newest in listed.items():
                self._keep(phone, newest)
            return {phone for phone, newest in listed.items() if self._newest.get(phone) == newest}

    def _follow(self, lines: list[str]) -> None:
        """Updates the pending ones, the least recently read first."""
        with self._lock:
            pending = [(p, n) for p, n in self._newest.items() if p in lines and n.is_pending]
        for phone, before in pending[:READ_A_LOOK]:
            response = self._get(
                before.link or f"{self._url}{INSTANCES}/{quote(before.id, safe='')}"
            )
            now = None
            if response.status_code != 404:  # removed meanwhile
                now = _newest(response.json(), before.link)
            with self._lock:
                if self._newest.get(phone) == before:
                    del self._newest[phone]  # and move it to the end of the queue
                    if now:
                        self._newest[phone] = now

    def _get(self, url: str, **more: Any) -> requests.Response:
        headers = {**self._headers, **more.pop("headers", {})}
        response = self._session.get(url, headers=headers, timeout=TIMEOUT_SECONDS, **more)
        if response.status_code not in (200, 202, 404):
            raise NoAnswer(f"Textback answers {response.status_code}.")
        return response

    def _keep(self, phone: str, newest: Newest) -> None:
        known = self._newest.get(phone)
        if known and known.id != newest.id and known.order > newest.order:
            return
        self._newest[phone] = newest
        while len(self._newest) > KEPT:
            del self._newest[next(iter(self._newest))]


def _newest(status: Json, link: str = "") -> Newest:
    told = {"runtimeStatus": status["runtimeStatus"], **status["customStatus"]}
    return Newest(status["instanceId"], datetime.fromisoformat(status["createdTime"]), told, link)
