"""Stores finished verifications, and reads the list of instances."""

from bot.domain.verification import Status
from bot.store import verifications as table
from bot.store.rows import to_text
from bot.store.tx import Done
from tests.builders import NOON, ended, seconds
from tests.harness import INSTANCES, Harness

TOKEN = "x-ms-continuation-token"


def listed(harness: Harness, query: str = "", token: str = "") -> tuple[list[str], str]:
    response = harness.call("GET", f"{INSTANCES}/?{query}", headers={TOKEN: token})
    assert response.status_code == 200
    assert "Location" not in response.headers
    return [body["instanceId"] for body in response.json()], response.headers[TOKEN]


def keep(
    harness: Harness, count: int, *, prefix: str = "v", status: Status = Status.EXPIRED
) -> None:
    """Stores finished verifications, a second apart."""

    def insert(tx):
        for number in range(count):
            at = NOON + seconds(number)
            tx_id = f"{prefix}{number:05}"
            one = ended(status, id=tx_id, created_at=at, at=at)
            table.insert(tx, one)
            tx.run(
                "INSERT INTO outbox (id, verification_id, purpose, channel, from_address, locale,"
                " state, queued_at)"
                " VALUES (:id, :id, 'challenge', 'sms', '', 'en', 'withdrawn', :at)",
                id=tx_id,
                at=to_text(at),
            )
        return Done(None)

    harness.store.write_within(60, insert)
