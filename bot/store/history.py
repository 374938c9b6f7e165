"""The table `history`: what happened to a verification, append-only."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain.transitions import Event
from bot.store.tx import Tx, to_instant, to_text


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    at: datetime
    event: str
    detail: dict[str, Any]


def append(tx: Tx, verification_id: str, events: Iterable[Event]) -> None:
    sql = """
        INSERT INTO history (verification_id, number, at, event, detail)
        SELECT :id, coalesce(max(number), 0) + 1, :at, :event, :detail
        FROM history WHERE verification_id = :id
    """
    for event in events:
        detail = json.dumps(event.detail) if event.detail else "{}"
        tx.run(sql, id=verification_id, at=to_text(tx.now), event=event.name, detail=detail)


def of(tx: Tx, verification_id: str) -> list[Line]:
    sql = """
        SELECT number, at, event, detail FROM history
        WHERE verification_id = :id ORDER BY number
    """
    return [
        Line(row["number"], to_instant(row["at"]), row["event"], json.loads(row["detail"]))
        for row in tx.all(sql, id=verification_id)
    ]
