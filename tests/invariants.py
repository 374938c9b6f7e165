"""Invariants of every database: after simulations and after crashes."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

ENDS = ("approved", "expired", "max_attempts_reached", "canceled", "failed")
Ask = Callable[[str], list[dict[str, Any]]]


def broken(ask: Ask) -> list[str]:
    """The broken invariants, a sentence each. `ask` runs a query. None may be pending any more."""
    found: list[str] = []
    lines: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in ask("SELECT * FROM history ORDER BY verification_id, number"):
        lines[line["verification_id"]].append(line)
    for row in ask("SELECT * FROM verification"):
        found += [f"{row['id']} {what}" for what in _of_one(row, lines[row["id"]])]
    (wrong,) = ask(
        "SELECT (SELECT count(*) FROM usage WHERE kind = 'wrong') AS tallied,"
        " (SELECT coalesce(sum(attempts), 0) FROM verification) AS counted"
    )
    found += _of_events(ask)
    if wrong["tallied"] != wrong["counted"]:
        found.append(f"{wrong['tallied']} wrong answers tallied, {wrong['counted']} counted")
    return found


def _of_events(ask: Ask) -> list[str]:
    """No end without an event for each endpoint, and no event without an end."""
    sql = """
        SELECT v.id, v.status, (SELECT count(*) FROM webhook_event e WHERE e.verification_id = v.id
                AND e.type = 'verification.' || v.status) AS events,
            (SELECT count(*) FROM webhook_event e WHERE e.verification_id = v.id) AS all_events,
            (SELECT count(*) FROM webhook_endpoint WHERE is_configured = 1) AS endpoints
        FROM verification v
    """
    return [
        f"{row['id']} is {row['status']} and has {row['events']} of {row['all_events']} events"
        for row in ask(sql)
        if not row["events"] == row["all_events"] == row["endpoints"]
    ]


def _of_one(row: dict[str, Any], lines: list[dict[str, Any]]) -> list[str]:
    events = [line["event"] for line in lines]
    instants = [line["at"] for line in lines]
    laws = {
        "is pending for ever": row["status"] != "pending",
        "has gaps in its history": [x["number"] for x in lines] == list(range(1, len(lines) + 1)),
        "has a history out of order": instants == sorted(instants),
        "has not ended once": [e for e in events if e in ENDS] == [row["status"]],
        "counts its attempts otherwise": events.count("wrong_answer") == row["attempts"],
        "was answered right twice": events.count("right_answer") <= 1,
        "was approved without a right answer": (
            row["status"] != "approved" or "right_answer" in events
        ),
        "has more attempts than it may": row["attempts"] <= row["max_attempts"],
        "was taken twice": events.count("text_accepted") <= 1,
        "has another number of texts": row["sends"] == 1 + events.count("resend_asked"),
    }
    return [what for what, holds in laws.items() if not holds]
