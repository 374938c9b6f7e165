"""Shortens waits for tests of real processes. Imported before anything that reads them."""

from bot.domain import timings

timings.SHORTEST_WINDOW_SECONDS = 1
timings.SHORTEST_SEND_WITHIN_SECONDS = 1
timings.LOOK_AGAIN_SECONDS = 0.5
timings.WEBHOOK_LEASE_SECONDS = 2.0
timings.IDLE_AT_STOP_SECONDS = 0.05
