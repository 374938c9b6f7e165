"""The service on a host whose own clock is off by SKEW seconds. Run by hosts.py."""

import os
import time
from datetime import UTC, datetime, timedelta

_ahead = float(os.environ["SKEW"])
_time, _time_ns = time.time, time.time_ns
time.time = lambda: _time() + _ahead
time.time_ns = lambda: _time_ns() + int(_ahead * 1e9)

import tests.processes.quick  # noqa: E402, F401
from bot import settings  # noqa: E402
from bot.app import create_app  # noqa: E402

app = create_app(
    settings.read(os.environ), clock=lambda: datetime.now(UTC) + timedelta(seconds=_ahead)
)
