"""Shares the counters of this process with the others, through the database."""

import logging
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bot.concurrency.background import Background
from bot.observability.metrics import Metrics
from bot.store import metric_samples
from bot.store.tx import Done, Store, StoreUnavailable, Tx

# If a process is killed, the counts that it has not written yet are lost, and nothing else.
EVERY_SECONDS = 2.0
# Write all samples again this often, so that an idle process is not treated as ended.
SIGN_OF_LIFE_SECONDS = 3600.0
STOP_SECONDS = 10.0  # a write under way takes four at most

log = logging.getLogger(__name__)


class SharedCounters(Background):
    """`stop` writes the last sums."""

    def __init__(self, metrics: Metrics, store: Store) -> None:
        super().__init__("shared_counters")
        self._metrics = metrics
        self._store = store
        self._process = secrets.token_hex(8)
        self._written: dict[str, float] = {}
        self._written_at = time.monotonic()
        self._lock = threading.Lock()

    def stop(self, *, within_seconds: float = STOP_SECONDS) -> None:
        super().stop(within_seconds=within_seconds)
        if self._thread is not None:
            self._thread = None
            with _logged("the last sums are lost"):
                self.write()

    def write(self) -> None:
        with self._lock:  # older sums must not overwrite newer ones
            self._write()

    def end(self) -> None:
        """Adds the sums of a process that is about to end, such as a command, to those of all ended
        processes, so that no rows of its own stay. A failure is only logged: what the process was
        for is done."""
        with self._lock, _logged("those of this process are lost"):
            samples = {key: value for key, value in self._metrics.samples().items() if value}
            self._store.write(add_to_past, samples)

    def _write(self) -> None:
        now = time.monotonic()
        if now - self._written_at > SIGN_OF_LIFE_SECONDS:
            self._written = {}
        samples = self._metrics.samples()
        news = {
            key: value for key, value in samples.items() if self._written.get(key, 0.0) != value
        }
        if not news:
            return
        self._store.write(_put, self._process, news)
        self._written, self._written_at = samples, now

    def of_all(self) -> dict[str, float]:
        """The sums of all processes; this one writes its newest sums first."""
        with _logged("reporting the values written before"):
            self.write()
        return self._store.read(metric_samples.of_all)

    def _run(self) -> None:
        while not self._is_over.wait(EVERY_SECONDS):
            with _logged("trying again"):
                self.write()


@contextmanager
def _logged(consequence: str) -> Iterator[None]:
    """Logs a failure: lost counts must not make anything else fail."""
    try:
        yield
    except StoreUnavailable as error:
        log.warning("the counters could not be written: %s; %s", error, consequence)
    except Exception:
        log.exception("the counters could not be written; %s", consequence)


def _put(tx: Tx, process: str, samples: Mapping[str, float]) -> Done[None]:
    metric_samples.put(tx, process, samples)
    return Done(None)


def add_to_past(tx: Tx, samples: Mapping[str, float]) -> Done[None]:
    metric_samples.add_to_past(tx, samples)
    return Done(None)
