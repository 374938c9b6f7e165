"""Draws docs/state-machine.md from `decide` itself, by trying every input in every state.

`make diagram` writes it; tests/test_docs.py notices when it is stale.
"""

from datetime import datetime
from pathlib import Path

from bot.domain.inputs import (
    Attempted,
    Canceled,
    DisownedByText,
    Input,
    Resumed,
    Suspended,
    TextAccepted,
    TextImpossible,
    TextTried,
    TimePassed,
)
from bot.domain.transitions import decide
from bot.domain.verification import Cause, Verification
from tests.builders import NOON, seconds, verification

PAGE = Path(__file__).parents[1] / "docs" / "state-machine.md"

HEAD = """\
# The states of a verification

Drawn by `make diagram` from `decide` in `bot/domain/transitions.py`: every input is tried in every
state that can be reached. Inputs that change no state are left out. `pending` is shown in three
parts, as the management API shows it: waiting for Twilio, running, suspended.

```mermaid
stateDiagram-v2
"""

# How many inputs in a row are tried.
DEPTH = 6


def name_of(v: Verification) -> str:
    return v.stage.value


def inputs(v: Verification, now: datetime) -> list[tuple[str, Input, datetime]]:
    soon = now + seconds(1)
    due = max(now, v.due_at or now)
    return [
        ("text tried", TextTried(), soon),
        ("text accepted", TextAccepted(soon), soon),
        ("text impossible", TextImpossible(Cause.SEND_REFUSED, "no"), soon),
        ("right answer", Attempted(True, soon), soon),
        ("wrong answer", Attempted(False, soon), soon),
        ("late answer", Attempted(True, due), due),
        ("time over", TimePassed(), due),
        ("not me", DisownedByText(soon), soon),
        ("canceled", Canceled(Cause.TERMINATED, "no"), soon),
        ("suspended", Suspended(None), soon),
        ("resumed", Resumed(None), soon),
    ]


def arrows() -> dict[tuple[str, str], list[str]]:
    """Returns pairs of states with the inputs that lead from one to the other, in order."""
    found: dict[tuple[str, str], set[str]] = {}
    order: list[str] = []
    reached = {(verification(), NOON)}
    for _ in range(DEPTH):
        nexts = set()
        for v, now in reached:
            for word, what, at in inputs(v, now):
                order += [] if word in order else [word]
                after = decide(v, what, at).verification
                if name_of(after) != name_of(v):
                    found.setdefault((name_of(v), name_of(after)), set()).add(word)
                if not v.is_terminal:  # what an ended one becomes was tried above
                    nexts.add((after, at))
        reached = nexts
    return {pair: sorted(words, key=order.index) for pair, words in sorted(found.items())}


def page() -> str:
    lines = ["    [*] --> waiting: started"]
    pairs = arrows()
    for (start, end), words in pairs.items():
        lines.append(f"    {start} --> {end}: {', '.join(words)}")
    left = {start for start, _ in pairs}
    lines += [f"    {end} --> [*]" for end in sorted({end for _, end in pairs} - left)]
    return HEAD + "\n".join(lines) + "\n```\n"


if __name__ == "__main__":
    PAGE.write_text(page())
