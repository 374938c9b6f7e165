"""Time constants that are not settings. Tests with real processes shorten them here, before any
module that reads them is imported (`tests/processes/quick.py`)."""

SHORTEST_WINDOW_SECONDS = 10  # that may be set
SHORTEST_SEND_WITHIN_SECONDS = 5
LOOK_AGAIN_SECONDS = 5.0  # between two looks for a text in Twilio's list, which may lag
WEBHOOK_LEASE_SECONDS = 30.0  # three times as long as a call lasts
# At a stop, for the next request of a kept connection, whose answer closes it: a busy client then
# loses none.
IDLE_AT_STOP_SECONDS = 0.25
