"""The processes of a run, and secrets that are drawn from its seed."""

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from bot.admission.admission import Admission
from bot.dispatch.catch_up import CatchUp
from bot.dispatch.send import SendDuty
from bot.dispatch.sweep import Sweeper
from bot.store.opening import open_store
from bot.usecases import notify
from bot.usecases.claim import TextClaim
from tests.builders import RULES
from tests.simulation.twilio import Twilio

ENDPOINT = "https://app.example.com/webhooks"
TIMEOUT_SECONDS = 8.0


class SeededSecrets:
    """Stands in for `secrets`."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._ids = 0
        self.choice = random.choice

    def token_hex(self, length: int) -> str:
        return f"{self._random.getrandbits(8 * length):0{2 * length}x}"

    def token_urlsafe(self, length: int) -> str:
        return "text" + self.token_hex(length)

    def new_id(self) -> str:
        self._ids += 1
        return f"{self._ids:032x}"


class Process:
    """One process: its store, duties and claims, which die with it. The database stays."""

    def __init__(
        self,
        url: str,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
        twilio: Twilio,
    ) -> None:
        self.store = open_store(url, connections=2, clock=clock, monotonic=monotonic)
        self.admission = Admission()
        self.send = SendDuty(
            self.store,
            twilio,
            RULES,
            timeout_seconds=TIMEOUT_SECONDS,
            at_once=8,
            on_sent=lambda outcome, code: None,
            monotonic=monotonic,
        )
        self.catch_up = CatchUp(self.store, twilio, RULES, monotonic=monotonic)
        self.sweeper = Sweeper(self.store, kept=timedelta(days=3650))
        self.store.write(notify.configure, [ENDPOINT], includes_number=False)
        self.claims: list[TextClaim] = []
        self.events: list[notify.EventClaim] = []
        self.is_dead = False
