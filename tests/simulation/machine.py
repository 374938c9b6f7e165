"""The machine of a run: its clock, its database and its processes, which die and are cut off."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from random import Random
from typing import Any

from bot.channels.gateway import ChannelUnavailable
from bot.dispatch import catch_up
from bot.store.tx import Change, Done, Store, StoreUnavailable
from bot.usecases.answer import judge_text
from bot.usecases.heartbeat import assume_all_judged
from bot.usecases.inbound_text import InboundText, Judged
from bot.usecases.repair import begin_anew
from tests.builders import RULES
from tests.harness import HandClock
from tests.simulation.processes import Process
from tests.simulation.twilio import Killed, Twilio

PHONES = 3  # so few that two often act on one verification
DEPTH = 3  # how deeply interruptions may nest

Judge = Callable[[Store, InboundText], Judged]


def judge_honestly(store: Store, text: InboundText) -> Judged:
    return store.write(judge_text, text, rules=RULES, judged_until=assume_all_judged)


class Machine:
    def __init__(
        self,
        seed: int,
        url: str,
        *,
        judge: Judge = judge_honestly,
        processes: int = 2,
        phones: int = PHONES,
    ) -> None:
        self.random = Random(seed)
        self._phones = [f"+142555501{number:02}" for number in range(1, phones + 1)]
        self.clock = HandClock()  # the true time, and Twilio's
        self._ahead = timedelta(0)  # how far this machine's clock is ahead of it
        self.twilio = Twilio(self.random, self.clock)
        self.twilio.interleave = self.interleave
        self._judge = judge
        self._url = url
        self._depth = 0
        self._is_draining = False
        self._is_catching_up = False
        self._calling: list[Process] = []  # whose calls to Twilio are on their way
        self.processes = [self._process() for _ in range(processes)]
        self.broken: list[str] = []
        self.verifications = 0  # that were started, counted at the end
        self._answers: dict[str, str | None] = {}
        self._failed_texts: set[str] = set()  # that Twilio reported as failed, lying or not
        self.is_locked = False  # the database, by somebody else
        self._waiting: list[Callable[[], None]] = []  # webhooks on their way
        self._reported: set[str] = set()
        self.events: dict[str, str] = {}  # bodies that the receiver got, by id

    def _step(self) -> None:
        raise NotImplementedError

    def interleave(self) -> None:
        """Others act while a call is on its way."""
        if self._depth >= DEPTH or self._is_draining:
            return
        self._depth += 1
        for _ in range(self.random.choice([0, 0, 1, 2, 3])):
            self._step()
        self._depth -= 1
        if self._calling and self._calling[-1].is_dead:
            raise Killed  # by one of the others

    # -- its processes ---------------------------------------------------------------------------

    def _random_process(self) -> Process:
        return self.random.choice(self.processes)

    def _process(self) -> Process:
        made = Process(self._url, self._now, lambda: self.clock.now.timestamp(), self.twilio)
        made.store.on_commit(lambda done, _: self._committed(made, done))
        write = made.store.write

        def lockable(use_case: Any, *args: Any, **more: Any) -> Any:
            if made.is_dead:  # by one of the others, meanwhile
                raise Killed
            if self.is_locked:
                raise StoreUnavailable("locked by somebody else")
            return write(use_case, *args, **more)

        made.store.write = lockable  # type: ignore[method-assign]
        return made

    def _kill(self) -> None:
        self._die(self._random_process())

    def _die(self, process: Process) -> None:
        """Kills the process and starts it again, which begins with catching up."""
        if process.is_dead:
            return
        process.is_dead = True
        process.store.close()
        place = self.processes.index(process)
        self.processes[place] = self._process()
        self._is_catching_up = True  # judges as of when a text was sent
        with suppress(Killed, ChannelUnavailable, StoreUnavailable):
            store = self.processes[place].store
            store.write(begin_anew)
            catch_up.read_missed(store, self.twilio, RULES, uncounted=store.steady.uncounted)
        self._is_catching_up = False

    def _committed(self, process: Process, done: Done[object]) -> None:
        for change in done.changes:
            self._check_change(process, change)

    def _check_change(self, process: Process, change: Change) -> None:
        before, after = change.before, change.after
        if before is not None and before.is_terminal and before.outcome != after.outcome:
            self.broken.append(f"{after.id} was decided twice")
        names = [event.name for event in change.events]
        was_in_time = process.store.steady.latest < after.deadline_at or "resumed" in names
        by_catch_up = self._is_catching_up
        if "right_answer" in names and not was_in_time and not by_catch_up:
            self.broken.append(f"{after.id} was approved at or after its deadline")

    # -- its clock, its database and its way to Twilio -------------------------------------------

    def _now(self) -> datetime:
        return self.clock.now + self._ahead

    def _move_clock(self) -> None:
        """Moves time on; now and then sets this machine's clock forward or back, by seconds, hours
        or days."""
        self.clock.forward(self.random.choices([0.2, 2, 10, 40, 100], [8, 8, 6, 4, 2])[0])
        if self.random.random() < 0.1:
            self._ahead = timedelta(seconds=self.random.uniform(-4, 4))
        if self.random.random() < 0.03:
            self._ahead = timedelta(hours=self.random.choice([-50, -24, -3, 0, 0, 3, 24, 900]))
        for process in self.processes:
            with suppress(StoreUnavailable):
                process.sweeper.run_once()

    def _lock(self) -> None:
        """Another program locks the database for long, or releases it."""
        self.is_locked = not self.is_locked
        if not self.is_locked:
            for process in self.processes:
                process.store.outages.ended += 1

    def _outage(self) -> None:
        """Takes Twilio away, or brings it back."""
        self.twilio.is_gone = not self.twilio.is_gone
