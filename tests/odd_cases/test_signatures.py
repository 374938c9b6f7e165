"""NO and STOP above a signature, a quote or a code."""

from pathlib import Path
from typing import Any

import pytest

from bot.domain.signatures import is_no
from tests.harness import PHONE, Harness
from tests.harness import harness as open_harness
from tests.odd_cases.lost_letters import questioned


def shown(harness: Harness, id: str) -> dict[str, Any]:
    found: dict[str, Any] = harness.status(id)["customStatus"]
    return found


# -- NO --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("locale", "body"),
    [
        ("en", "NO\n\nAcme Ltd, est. 1984"),
        ("en", "NO\n\n© 2026 Acme"),
        ("en", "No\n--\n12 High St, Zürich 8001"),
        ("en", "NO\n\n> Your code 7781"),
        ("en", "NO\n\n> {code}"),
        ("en", "NO\n\n12 34"),
        ("en", "NO\n\n1234\n5678"),
        ("de", "Nein\n\nVon meinem Samsung Galaxy Smartphone gesendet."),
        ("de", "Nein\nVon meinem iPhone gesendet"),
        ("fr", "Non\n\nEnvoyé de mon téléphone Android via Orange"),
        ("es", "No\n\nEnviado desde mi smartphone Samsung Galaxy"),
        ("en", "NO\n\nJane Doe, VP of Sales and Marketing"),
        ("en", "NO\n\n12 Main Street, Springfield, IL 62704 USA"),
        ("ja", "いいえ\n\n私のスマートフォンから送信しました"),
        ("en", "NO\n\nJoe Smith\nSuite 1200"),
        ("en", "no\n\nSent from my iPhone 1234"),
        ("en", "NO\nSent from my iPhone"),
        ("en", "NO\nSent via BlackBerry"),
        ("es", "No\nEnviado desde mi teléfono móvil"),
        ("pl", "Nie\nWysłano z telefonu"),
        ("cs", "Ne\nOdesláno z iPhonu"),
        ("de", "Nein\n\nHolen Sie sich Outlook für iOS"),
        ("ko", "아니요\n내 갤럭시에서 보냄"),
        ("en", "Nooo!!!"),
        ("de", "Neiiin"),
        ("en", "Nooo, no"),
        ("pl", "Nie\n\nNikodem Kowalski"),
        ("it", "No\n\nNicodemo Rossi"),
        ("hu", "Nem\n\nKodály Anna"),
        ("en", "No.\n“Your verification code is…”"),
        ("en", "No\n\n-- \nMaría, Calle Mayor nº 3"),
        ("en", "No,no"),
        ("en", "NO!NO!"),
        ("en", "no - no"),
        ("en", "No, no 👎"),
        ("fr", "Non ! Non !"),
        ("ja", "いいえ、いいえ"),
        ("zh-Hans", "不，不"),
        ("zh-Hans", "不不"),
        ("de", "Nein\n\nKodak Bank AG"),
        ("zh-Hans", "不是我"),
        ("th", "ไม่ใช่ครับ"),
        ("ko", "아닙니다."),
        ("tr", "HAYİR"),
        ("vi", "Không phải"),
        ("vi", "Dạ không ạ."),
        ("fi", "En."),
        ("hi", "जी नहीं"),
        ("zh-Hans", "非本人操作"),
        ("ar", "كلا"),
        ("ar", "لـــا"),
        ("ar", "لاـ"),
        ("hi", "जी नही"),
        ("th", "ไม่ใช่คับ"),
        ("zh-Hans", "不是我本人"),
        ("en", "NO\n\nSent via the Samsung Galaxy S7, an AT&T 4G LTE smartphone"),
        ("fr", "Non\nEnvoyé de Outlook"),
        ("en", "NO\n\u200eSent\u00a0via\u00a0BlackBerry"),
        ("en", "NO\r\n\u200e\r\n\u200eJoe Smith"),
        ("ar", "لا\n\u200f\n\u200fأحمد"),
        ("en", "NO\n\u200e> Your verification code"),
        (
            "en",
            "No\nOn Mon, Nov 30 at 4:32 PM Textback wrote:\n> Your verification code is {code}.",
        ),
    ],
)
def test_no_above_whatever_holds_digits_is_no(harness: Harness, locale: str, body: str) -> None:
    id = harness.start_and_send(locale=locale)["id"]
    harness.text(body.format(code=harness.code()))
    assert shown(harness, id)["cause"] == "disowned"
    assert shown(harness, id)["attemptsUsed"] == 0


@pytest.mark.parametrize("locale", ["en", "de", "ja"])
def test_no_above_our_text_is_no_without_the_mark_of_a_quote(harness: Harness, locale: str) -> None:
    for line_end in ("\n\n", "\n", "\r\n"):
        harness.text("START")
        id = harness.start_and_send(locale=locale)["id"]
        harness.text(f"No{line_end}{harness.texts()[-1].body}")
        assert shown(harness, id)["cause"] == "disowned"


def test_no_above_a_quote_without_its_letters_approves_nothing(tmp_path: Path) -> None:
    with open_harness(tmp_path, SERVICE_NAME="Acme") as harness:
        id = harness.start_and_send(locale="ar")["id"]
        harness.text("NO\n\n> " + questioned(harness.texts()[-1].body))
        assert shown(harness, id)["cause"] == "disowned"


SENTENCES = [
    "No\nI did type my number right and this is what your text to my phone says:\nYour"
    " verification code is 0000",
    "No\nEnvoyé de nouveau svp",
    "No\nYour verification code never arrived",
    "NO\n\nYour verification code does not work, please resend",
    "No\n\nI have not got the code yet, please send it again",
    "不\n\n我还没有收到验证码，请再发一次给我谢谢",
    "NO\n\nI DID NOT GET IT, PLEASE SEND ANOTHER ONE",
    "no no code came",
    "nono",
    "No\nResend",
    "No\nI did not get it",
    "No\nStill waiting here",
    "NO\nNOT WORKING",
    "No\nMy Code Is Gone",
    "No\nWho Is This?",
    "No\nSent via SMS? nothing came here yet",
    "No\n\nno code came",
    "No\n\nKod nie przyszedł",
    "NO\n\nNO CODE CAME",
    "No\n\nKein Code",
    "No\n\ncódigos nada",
    "No\n\nkodunuzu almadım",
    "No\n\nno llegó la clave",
    "No\n\nimmer noch kein Bestätigungscode",
    'No\n\nI typed it in, the page says "error 4031" every single time',
    "No\n\nit does not work, the page only says this:\nwrong code",
    "No\n\nplease send the code to my other number instead:\n+1 425 555 0100",
]


@pytest.mark.parametrize("body", SENTENCES)
def test_sentences_that_begin_with_no_are_none(harness: Harness, body: str) -> None:
    id = harness.start_and_send(locale="zh-Hans" if body[0] == "不" else "en")["id"]
    harness.text(body)
    assert shown(harness, id)["status"] == "pending"
    for line_end in ("\r\n", "\r", "\u2028"):
        assert not is_no(body.replace("\n", line_end), ["no", "不"]), line_end


@pytest.mark.parametrize(
    ("locale", "body"),
    [
        ("ko", "아니요\n\n코드가 아직 안 왔어요 다시 한번 보내 주세요 부탁드립니다"),
        ("ar", "لا\n\nلم يصلني الرمز حتى الآن من فضلك أرسله مرة أخرى"),
        ("ru", "Нет\n\nКод не пришёл"),
        ("ko", "아니요\n\nACME 코드 안 왔어요"),
        ("he", "לא\n\nלא קיבלתי קוד מ-ACME"),
        ("hi", "नहीं\n\nकोड नहीं आया"),
        ("ja", "いいえ\n\nコードが来ません"),
    ],
)
def test_so_are_sentences_in_scripts_without_capitals(
    harness: Harness, locale: str, body: str
) -> None:
    id = harness.start_and_send(locale=locale)["id"]
    harness.text(body)
    assert shown(harness, id)["status"] == "pending"


@pytest.mark.parametrize("body", ["{}", "The code is {}", "Mi código es {}", "{} thanks"])
@pytest.mark.parametrize("word", ["No\n\n", "No.\n\n", "Stop\n"])
def test_the_right_code_below_is_an_answer(harness: Harness, word: str, body: str) -> None:
    id = harness.start_and_send()["id"]
    harness.text(word + body.format(harness.code()))
    assert harness.status(id)["output"] is True


# -- STOP ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        *("STOP\n\nJoe Smith\n1200 Main St", "STOP\n--\nACME 1999", "STOP\n\n11-30"),
        *("STOP\n\n12 34", "Stop.\n30-11\nAnna", "STOP\n1234\n5678"),
        "Stop texting me\n\nJoe Smith\n1200 Main St",
    ],
)
def test_stop_above_a_signature_is_stop_while_one_is_pending(harness: Harness, body: str) -> None:
    id = harness.start_and_send()["id"]
    harness.text(body)
    assert shown(harness, id)["cause"] == "opted_out"
    assert harness.post_start(PHONE).json()["code"] == "opted_out"


@pytest.mark.parametrize(
    "body",
    [
        'Stop asking, I sent "code {code}" already',
        "Stop wasting my time\n\nThe code is {code}",
        "stop asking twice\n\nit still does not work, I typed {code} in",
    ],
)
@pytest.mark.parametrize("is_right", [True, False])
def test_a_code_in_a_sentence_below_stop_or_in_quotation_marks_is_no_opt_out(
    harness: Harness, body: str, is_right: bool
) -> None:
    id = harness.start_and_send()["id"]
    harness.text(body.format(code=harness.code() if is_right else harness.wrong()))
    assert shown(harness, id)["cause"] != "opted_out"
    assert harness.post_start(PHONE).status_code == 202


@pytest.mark.parametrize("between", [" ", "-", " - "])
def test_a_code_in_groups_above_a_signature_is_an_answer(harness: Harness, between: str) -> None:
    id = harness.start_and_send()["id"]
    code = harness.code()
    harness.text(f"{code[:2]}{between}{code[2:]}\n\nSent from my iPhone 15")
    assert harness.status(id)["output"] is True
