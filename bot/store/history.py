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
    """All of them in one statement: each costs more than its rows."""
    lines: list[str] = []
    params: dict[str, str] = {}
    for place, event in enumerate(events, start=1):
        lines.append(f"SELECT {place} AS place, :event{place} AS event, :detail{place} AS detail")
        params[f"event{place}"] = event.name
        params[f"detail{place}"] = json.dumps(event.detail) if event.detail else "{}"
    if not lines:
        return
    sql = f"""
        INSERT INTO history (verification_id, number, at, event, detail)
        SELECT :id, place + (
                SELECT coalesce(max(number), 0) FROM history WHERE verification_id = :id),
            :at, event, detail
        FROM ({" UNION ALL ".join(lines)}) AS lines ORDER BY place
    """
    tx.run(sql, id=verification_id, at=to_text(tx.now), **params)


def of(tx: Tx, verification_id: str) -> list[Line]:
    sql = """
        SELECT number, at, event, detail FROM history
        WHERE verification_id = :id ORDER BY number
    """
    return [
        Line(row["number"], to_instant(row["at"]), row["event"], json.loads(row["detail"]))
        for row in tx.all(sql, id=verification_id)
    ]
