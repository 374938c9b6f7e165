"""STOP and NO beside texts of ours, on a short code, and after the end."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.observability.exposition import key_of
from simulator import faults
from tests.dispatch.missing import catch_up, missed
from tests.harness import ACCOUNT, INSTANCES, Harness
from tests.harness import harness as open_harness
from tests.sms.webhooks import report, signed, sms

DAY = 24 * 3600 + 60
THANKS = "Thank you. No more codes are sent to this number today."


def cause(harness: Harness, id: str) -> str | None:
    found: str | None = harness.status(id)["customStatus"].get("cause")
    return found


def refusal(harness: Harness) -> str | None:
    """The code word of a start that is refused; None: it is not."""
    found: str | None = harness.post_start().json().get("code")
    return found


def test_a_missed_stop_on_a_short_code_is_never_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twilio enforces no STOP there, so a start a day later would reach the person."""
    monkeypatch.setattr("tests.harness.NUMBER", "12345")
    with open_harness(tmp_path, TWILIO_PHONE_NUMBER="12345", SERVICE_NAME="Contoso") as harness:
        harness.start_and_send()
        missed(harness, "STOP")
        harness.forward(60)
        catch_up(harness)
        assert refusal(harness) == "opted_out"
        harness.forward(DAY)
        assert refusal(harness) == "opted_out"


def test_a_sentence_after_a_trial_that_arrived_is_never_tried_again(harness: Harness) -> None:
    """Twilio took a text after the STOP, so it refuses none any more."""
    harness.start_and_send()
    harness.text("STOP")
    harness.simulator.faults.add("webhook_never")
    harness.text("START")
    harness.forward(DAY)
    harness.start_and_send()
    harness.text("Stop texting me")
    harness.forward(DAY)
    assert refusal(harness) == "opted_out"


@pytest.mark.parametrize("ends", ["superseded", "reworded"])
def test_a_stop_above_an_older_text_of_ours_is_a_stop(harness: Harness, ends: str) -> None:
    harness.start_and_send(locale="es")
    older = harness.texts()[-1].body
    if ends == "reworded":
        harness.restart(CHALLENGE_TEXT="Enter these digits on our page, please: {code}")
    id = harness.start_and_send(locale="en")["id"]
    harness.text(f"STOP\n> {older}")
    assert cause(harness, id) == "opted_out"


def test_a_stop_above_a_text_that_was_forgotten_is_a_stop(harness: Harness) -> None:
    harness.text("STOP\n> Your code is 1234")
    assert refusal(harness) == "opted_out"


@pytest.mark.parametrize("quote", ["Loved “{}”", "> {}", "{}"])
def test_an_older_wording_in_the_same_language_is_no_attempt(harness: Harness, quote: str) -> None:
    harness.start_and_send()
    older = harness.texts()[-1].body
    harness.forward(600)
    harness.restart(CHALLENGE_TEXT="Enter these digits on our page, please: {code}")
    id = harness.start_and_send()["id"]
    harness.text(quote.format(older))
    assert harness.status(id)["customStatus"]["attemptsUsed"] == 0


@pytest.mark.parametrize(
    ("locale", "quote"),
    [("ja", "“{}”を強調しました"), ("ja", "> {}"), ("en", "Liked “{}”"), ("en", "> {:.40}")],
)
def test_a_name_that_opens_with_stop_opts_nobody_out(
    tmp_path: Path, locale: str, quote: str
) -> None:
    with open_harness(tmp_path, SERVICE_NAME="Stop & Shop") as harness:
        id = harness.start_and_send(locale=locale)["id"]
        ours = harness.texts()[-1].body
        harness.text(quote.format(ours))
        assert cause(harness, id) is None
        harness.text(f"STOP\n> {ours}")
        assert cause(harness, id) == "opted_out"


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ("Text STOP to opt out", "STOP to opt out"),
        ("Text STOP to opt out", "Stop to opt out please"),
        ("Reply STOP to unsubscribe, HELP for help.", "STOP to unsubscribe"),
    ],
)
def test_our_own_words_about_stop_are_a_stop(harness: Harness, ends: str, said: str) -> None:
    harness.restart(CHALLENGE_TEXT=f"Your code is {{code}}. Reply with it. {ends}")
    id = harness.start_and_send()["id"]
    harness.text(said)
    assert cause(harness, id) == "opted_out"


@pytest.mark.parametrize("quote", ["Loved “{}”", "> {}", "{}", "STOP\n> {}"])
@pytest.mark.parametrize("name", ["Stop IT", "Stop"])
def test_a_short_name_that_opens_with_stop_opts_nobody_out(
    tmp_path: Path, name: str, quote: str
) -> None:
    template = "{service}: {code} is your verification code. Do not share it with anybody."
    with open_harness(tmp_path, SERVICE_NAME=name, CHALLENGE_TEXT=template) as harness:
        id = harness.start_and_send()["id"]
        harness.text(quote.format(harness.texts()[-1].body))
        assert cause(harness, id) == ("opted_out" if quote.startswith("STOP") else None)


@pytest.mark.parametrize("quote", ["NO\n> {}", "No\n\n{}", "No. {}"])
def test_no_above_a_text_whose_name_opens_with_stop_is_no_opt_out(
    tmp_path: Path, quote: str
) -> None:
    with open_harness(tmp_path, SERVICE_NAME="Stop & Shop") as harness:
        id = harness.start_and_send()["id"]
        harness.text(quote.format(harness.texts()[-1].body))
        assert cause(harness, id) == ("disowned" if "\n" in quote else None)


def test_after_no_nothing_more_is_texted(harness: Harness) -> None:
    harness.start_and_send()
    for text in ("NO", "NO", harness.code(), harness.wrong()):
        harness.text(text)
    assert harness.answers() == [THANKS]


def disowned(harness: Harness) -> float:
    return harness.service.metrics.samples()[key_of("textback_disowned_total", {})]


@pytest.mark.parametrize("before", ["in time", "late", "after a late code", "held"])
def test_each_no_is_counted_and_in_the_history(harness: Harness, before: str) -> None:
    id = harness.start_and_send()["id"]
    if before == "held":
        harness.suspend(id, None)
        for _ in range(4):
            harness.text(harness.wrong())
    elif before != "in time":
        harness.forward(95)
    if before == "after a late code":
        harness.text(harness.code())
    harness.text("NO")
    assert disowned(harness) == 1.0
    assert harness.history(id)[-1] == ("canceled" if before == "in time" else "disowned")


@pytest.mark.parametrize("sign", ["№", "Nº", "№."])
def test_a_sign_for_number_is_no_no(harness: Harness, sign: str) -> None:
    id = harness.start_and_send()["id"]
    harness.text(sign)
    assert harness.status(id)["runtimeStatus"] == "Running"


def test_a_signature_that_begins_with_stop_below_no_is_none(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.text("No\n\nStop Motion Ltd")
    assert harness.status(id)["customStatus"]["cause"] == "disowned"


def test_a_missed_stop_before_a_missed_start_ends_what_was_pending(harness: Harness) -> None:
    """As it does when both come in time; the number stays free."""
    id = harness.start_and_send()["id"]
    for body in ("STOP", "START", harness.code()):
        harness.forward(2)
        missed(harness, body)
    harness.forward(2)
    catch_up(harness)
    assert cause(harness, id) == "opted_out"
    assert refusal(harness) is None


def test_a_missed_stop_before_a_start_ends_nothing_that_began_later(harness: Harness) -> None:
    harness.start_and_send()
    missed(harness, "STOP")
    harness.forward(2)
    harness.text("START")
    harness.forward(2)
    id = harness.start_and_send()["id"]
    catch_up(harness)
    assert cause(harness, id) is None
    harness.text(harness.code())
    assert harness.status(id)["output"] is True


@pytest.mark.parametrize("how", ["refused", "failed", "undelivered"])
def test_21610_about_a_further_text_ends_all(harness: Harness, how: str) -> None:
    id = harness.start_and_send()["id"]
    harness.forward(16)
    if how == "refused":
        harness.simulator.faults.add(faults.REFUSE, code=21610, status=400)
    harness.call("POST", f"{INSTANCES}/{id}/raiseEvent/ResendSmsChallenge", json="")
    harness.run_once()
    if how != "refused":
        report(harness, id, how, code=21610)
    assert cause(harness, id) == ("send_refused" if how == "refused" else "not_delivered")
    assert refusal(harness) == "opted_out"


def test_21610_beside_a_text_that_goes_on_opts_nobody_out(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    report(harness, id, "sent", code=21610)
    harness.text(harness.code())
    assert harness.status(id)["output"] is True
    assert refusal(harness) is None


def test_an_error_of_zero_is_none(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    text = harness.view(id).text
    form = {"MessageSid": text.sid, "MessageStatus": "sent", "AccountSid": ACCOUNT.sid}
    signed(harness, f"/twilio/status/{text.id}", {**form, "ErrorCode": "0"})
    assert harness.status(id)["customStatus"]["delivery"] == "sent"
    assert harness.status(id)["customStatus"]["errorCode"] is None


def test_help_to_a_short_code_at_once_is_bounded_on_both_databases(
    tmp_path: Path, database_url: str
) -> None:
    settings = {"TWILIO_PHONE_NUMBER": "12345", "SERVICE_NAME": "Contoso"}
    with open_harness(tmp_path, **settings, DATABASE_URL=database_url) as short:
        with ThreadPoolExecutor(12) as pool:
            asked = [pool.submit(sms, short, "HELP", To="12345") for _ in range(12)]
        answered = [one for one in asked if not one.result().text.endswith("<Response />")]
        assert len(answered) == 3
