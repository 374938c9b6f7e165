"""The table `metric_sample`: what each process has counted for /metrics.

There may be several web and dispatcher processes on several hosts, and the process that is scraped
reports for all of them. So each process writes its sums every two seconds, into its own rows.
"""

from collections.abc import Mapping
from datetime import timedelta

from bot.store.rows import to_text
from bot.store.tx import Tx

# A process that has written nothing for so long has ended; its sums are added to those of PAST.
OVER = timedelta(days=7)
PAST = "past"


def put(tx: Tx, process: str, samples: Mapping[str, float]) -> None:
    sql = """
        INSERT INTO metric_sample (process, sample, value, at)
        VALUES (:process, :sample, :value, :now)
        ON CONFLICT (process, sample) DO UPDATE SET value = excluded.value, at = excluded.at
    """
    for sample, value in samples.items():
        tx.run(sql, process=process, sample=sample, value=value, now=to_text(tx.now))


def of_all(tx: Tx) -> dict[str, float]:
    """The sums of all processes, by sample."""
    sql = "SELECT sample, sum(value) AS value FROM metric_sample GROUP BY sample"
    return {row["sample"]: row["value"] for row in tx.all(sql)}


def add_to_past(tx: Tx, samples: Mapping[str, float]) -> None:
    """Adds the sums of a process that has ended and wrote none before."""
    tx.lock_name(PAST)
    sql = """
        INSERT INTO metric_sample (process, sample, value, at) VALUES (:past, :sample, :value, :now)
        ON CONFLICT (process, sample) DO UPDATE SET value = metric_sample.value + excluded.value
    """
    for sample, value in samples.items():
        tx.run(sql, past=PAST, sample=sample, value=value, now=to_text(tx.now))


def fold_past(tx: Tx) -> None:
    """Adds the sums of ended processes to those of PAST and removes their rows."""
    tx.lock_name(PAST)  # one process at a time
    sql = """
        SELECT process FROM metric_sample WHERE process <> :past
        GROUP BY process HAVING max(at) < :before
    """
    ended = [row["process"] for row in tx.all(sql, past=PAST, before=to_text(tx.now - OVER))]
    for process in ended:
        sql = """
            INSERT INTO metric_sample (process, sample, value, at)
            SELECT :past, sample, value, :now FROM metric_sample WHERE process = :process
            ON CONFLICT (process, sample) DO UPDATE SET value = metric_sample.value + excluded.value
        """
        tx.run(sql, past=PAST, process=process, now=to_text(tx.now))
        tx.run("DELETE FROM metric_sample WHERE process = :process", process=process)
