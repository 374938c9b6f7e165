"""What a database file consists of."""

import sqlite3
from pathlib import Path


def shape(path: Path) -> dict[str, object]:
    """Columns, indexes and what foreign keys refer to."""
    db = sqlite3.connect(path)
    names = [n for (n,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found: dict[str, object] = {
        name: (
            [row[1:] for row in db.execute(f"PRAGMA table_info({name})")],
            [row[2:7] for row in db.execute(f"PRAGMA foreign_key_list({name})")],
            sorted(
                (row[1], row[2], *(c[2] for c in db.execute(f"PRAGMA index_info({row[1]})")))
                for row in db.execute(f"PRAGMA index_list({name})")
            ),
        )
        for name in names
    }
    db.close()
    return found
