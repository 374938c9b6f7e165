"""Writes marks of numbered phones, and counts them."""

from bot.store import opt_outs
from bot.store.sqlite import SqliteStore
from bot.store.tx import Done, Tx
from tests.builders import OUR_NUMBER


def phone(number: int) -> str:
    return f"+1425{number:07}"


def mark(number: int):
    def use_case(tx: Tx) -> Done[int]:
        opt_outs.mark(tx, phone=phone(number), from_address=OUR_NUMBER)
        return Done(number)

    return use_case


def count(store: SqliteStore) -> int:
    return store.read(lambda tx: tx.one("SELECT count(*) AS n FROM opt_out")["n"])
