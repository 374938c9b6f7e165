"""A turn that clients take one after the other, so that many of them delay others no more than one
does."""

from gevent.lock import BoundedSemaphore

from bot.concurrency.blocking import yield_control, yield_turn


class Turn:
    def __init__(self) -> None:
        self._taken = BoundedSemaphore()

    def take(self) -> None:
        """Returns when it is the caller's turn; one begins between two looks at the sockets."""
        with self._taken:
            yield_turn()
        yield_control()  # to the next one that waits: else this one would take the turn again
