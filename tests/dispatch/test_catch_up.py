"""Replies that arrived while the server was down."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bot.channels.gateway import ChannelUnavailable, ReceivedText
from bot.dispatch.missed import read_missed
from bot.store.steady import SteadyClock
from bot.store.tx import RowLocked, Tx
from bot.usecases.answer import judge_text
from simulator import faults
from tests.dispatch.missing import catch_up, missed
from tests.harness import PHONE, Harness
from tests.harness import harness as open_harness
from tests.postgres import Server


def test_a_missed_right_answer_counts_as_of_when_it_was_sent(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.clock.forward(60)
    missed(harness, harness.code())
    harness.clock.forward(600)
    catch_up(harness)
    harness.run_once()
    assert harness.status(id)["output"] is True


def test_a_missed_answer_that_was_too_late_stays_too_late(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.clock.forward(95)
    missed(harness, harness.code())
    harness.clock.forward(600)
    catch_up(harness)
    assert harness.status(id)["customStatus"]["status"] == "expired"


def test_what_was_seen_before_counts_once(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.text(harness.wrong())
    missed(harness, harness.wrong())
    harness.clock.forward(5)
    for _ in range(3):
        catch_up(harness)
    assert harness.status(id)["customStatus"]["attemptsUsed"] == 2


def test_a_reply_that_twilio_withheld_is_none(harness: Harness) -> None:
    """Twilio's list has it as failed, and its body is empty."""
    id = harness.start_and_send()["id"]
    harness.simulator.faults.add(faults.WITHHOLD, code=30038)
    harness.text(harness.code())
    assert catch_up(harness) == 0
    assert harness.store.read(lambda tx: tx.all("SELECT * FROM inbound")) == []
    assert "unread_reply" not in harness.history(id)


def test_missed_ones_are_judged_in_the_order_they_were_sent(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    for _ in range(4):
        harness.clock.forward(1)
        missed(harness, harness.wrong())
    harness.clock.forward(1)
    missed(harness, harness.code())
    catch_up(harness)
    assert harness.status(id)["customStatus"]["status"] == "max_attempts_reached"


def test_a_missed_stop_is_obeyed(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    missed(harness, "STOP")
    catch_up(harness)
    assert harness.status(id)["output"] == "opted_out"


def test_of_several_keywords_the_newest_counts(harness: Harness) -> None:
    """Whichever of them were missed."""
    harness.start_and_send()
    missed(harness, "START")
    harness.clock.forward(5)
    harness.text("Stop texting me")
    harness.start_and_send("+14255550124")
    catch_up(harness)
    assert harness.post_start().json()["code"] == "opted_out"
    missed(harness, "STOP")
    harness.clock.forward(5)
    harness.text("START")
    id = harness.start_and_send()["id"]
    catch_up(harness)
    assert harness.status(id)["customStatus"]["status"] == "pending"
    assert {text.reason for text in harness.ignored_texts(10)} == {"before_its_start"}


def test_a_stop_while_missed_texts_are_read_counts(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness.start_and_send()
    missed(harness, "START")
    gateway = harness.service.gateway
    found = list(gateway.received_since(timedelta(hours=1)))
    harness.clock.forward(5)
    harness.text("STOP")
    harness.start("+14255550124")
    later = [replace(text, age=text.age + timedelta(seconds=5)) for text in found]
    monkeypatch.setattr(type(gateway), "received_since", lambda *_: iter(later))
    catch_up(harness)
    assert harness.post_start().json()["code"] == "opted_out"


def test_an_answer_older_than_the_verification_was_meant_for_another(harness: Harness) -> None:
    harness.start_and_send("+14255550199")  # so that the list is read from before
    harness.clock.forward(10)
    missed(harness, "1111")
    harness.clock.forward(10)
    id = harness.start_and_send()["id"]
    catch_up(harness)
    assert harness.status(id)["customStatus"]["attemptsUsed"] == 0


def test_nothing_pending_asks_nothing(harness: Harness) -> None:
    missed(harness, "1234")
    assert catch_up(harness) == 0


def test_replies_are_judged_though_the_list_cannot_be_read(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.simulator.faults.add(faults.LIST_ERROR)
    with pytest.raises(ChannelUnavailable):
        catch_up(harness)
    harness.text(harness.code())
    assert harness.status(id)["output"] is True


def test_many_missed_texts_are_read_page_by_page(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    world = harness.simulator.world
    missed(harness, harness.code())
    for number in range(1200):
        world.inbound(sender=f"+1425666{number:04}", body="hello")
    assert catch_up(harness) == 1201
    assert harness.status(id)["output"] is True


def test_the_time_that_reading_takes_makes_no_text_younger(harness: Harness) -> None:
    """It was sent two seconds before the deadline, and a list of many pages takes longer."""
    id = harness.start_and_send()["id"]
    harness.clock.forward(88)
    missed(harness, harness.code())
    gateway = harness.service.gateway

    class Slow:
        def received_since(self, ago: timedelta) -> Iterator[ReceivedText]:
            yield from gateway.received_since(ago)
            harness.clock.forward(30)

    slow: Any = Slow()
    assert read_missed(harness.store, slow, harness.service.rules) == 1
    assert harness.status(id)["output"] is True


def test_texts_of_one_second_are_judged_in_the_order_they_were_sent(harness: Harness) -> None:
    """Twilio's list has the newest first, and its stamps have whole seconds. A right code after
    four wrong ones is too late."""
    id = harness.start_and_send()["id"]
    for _ in range(4):
        missed(harness, harness.wrong())
    missed(harness, harness.code())
    instants = count()
    harness.store.steady = SteadyClock(lambda: next(instants) / 1_000_000)  # it goes on meanwhile
    catch_up(harness)
    assert harness.status(id)["customStatus"]["status"] == "max_attempts_reached"


def test_a_missed_answer_that_waits_for_a_lock_is_judged_as_of_when_it_was_sent(
    any_harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two seconds before the deadline; its transaction waits for three."""
    id = any_harness.start_and_send()["id"]
    any_harness.clock.forward(88)
    missed(any_harness, any_harness.code())
    any_harness.clock.forward(10)
    write = any_harness.store.write

    def late(use_case: Any, *args: Any, **more: Any) -> Any:
        if use_case is not judge_text:
            return write(use_case, *args, **more)

        def waited(tx: Tx, *args: Any, **more: Any) -> Any:
            any_harness.clock.forward(3)
            return use_case(tx, *args, **more)

        return write(waited, *args, **more)

    monkeypatch.setattr(any_harness.store, "write", late)
    catch_up(any_harness)
    monkeypatch.undo()
    assert any_harness.status(id)["output"] is True


def test_a_number_whose_row_is_held_holds_up_no_other(tmp_path: Path, postgres: Server) -> None:
    with open_harness(tmp_path, DATABASE_URL=postgres.new_database()) as harness:
        ids = [harness.start_and_send(phone)["id"] for phone in (PHONE, "+14255550124")]
        for phone in (PHONE, "+14255550124"):
            missed(harness, harness.code(phone), phone)
        url = harness.settings.database_url
        with psycopg.connect(url) as other:
            other.execute("SELECT 1 FROM verification WHERE id = %s FOR UPDATE", [ids[0]])
            with pytest.raises(RowLocked):
                catch_up(harness)
            assert harness.status(ids[1])["output"] is True
        catch_up(harness)
        assert harness.status(ids[0])["output"] is True
