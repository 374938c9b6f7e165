"""Quotes that were cut off or lost their letters, and NO and STOP above a signature."""

import unicodedata
from pathlib import Path
from typing import Any

import pytest

from bot.domain.characters import ascii_digits
from tests.harness import PHONE, Harness
from tests.harness import harness as open_harness


def questioned(text: str) -> str:
    return "".join(letter if letter.isascii() else "?" for letter in text)


def as_latin_1(text: str) -> str:
    return text.encode().decode("latin-1")


def shown(harness: Harness, id: str) -> dict[str, Any]:
    found: dict[str, Any] = harness.status(id)["customStatus"]
    return found


@pytest.mark.parametrize("lose", [questioned, as_latin_1], ids=["?", "latin-1"])
@pytest.mark.parametrize("locale", ["ru", "uk", "hi", "ar", "he", "el", "ja", "zh-Hans", "ko"])
@pytest.mark.parametrize("service", ["Acme", "Contoso Bank"])
def test_a_reaction_without_its_letters_beside_a_name_is_no_answer(
    tmp_path: Path, service: str, locale: str, lose: Any
) -> None:
    with open_harness(tmp_path, SERVICE_NAME=service) as harness:
        id = harness.start_and_send(locale=locale)["id"]
        harness.text(f"Loved “{lose(harness.texts()[-1].body)}”")
        assert harness.history(id)[-1] == "quoted_text"
        harness.text(harness.code())
        assert harness.status(id)["output"] is True


@pytest.mark.parametrize(
    "template",
    [
        "{service}: ваш код подтверждения {code}",
        "{service}: 您的验证码是 {code}，请勿告诉他人",
        "Ваш код {code} для входа в {service}. Ref {reference}",
        "Здравствуйте! Ваш код {code}. Ответьте этими цифрами.",
    ],
)
def test_so_is_one_to_a_text_of_the_operators(tmp_path: Path, template: str) -> None:
    with open_harness(tmp_path, SERVICE_NAME="Acme", CHALLENGE_TEXT=template) as harness:
        id = harness.start_and_send()["id"]
        harness.text(f"Loved “{questioned(harness.texts()[-1].body)}”")
        assert harness.history(id)[-1] == "quoted_text"


@pytest.mark.parametrize("said", ["{} ref kp", "мой код {}, спасибо", "{}?", "code: {} ???"])
def test_a_code_among_other_words_is_an_answer_to_such_a_text(tmp_path: Path, said: str) -> None:
    template = "Ваш код {code} для входа в {service}. Ref {reference}"
    with open_harness(tmp_path, SERVICE_NAME="Acme", CHALLENGE_TEXT=template) as harness:
        id = harness.start_and_send()["id"]
        harness.text(said.format(harness.code()))
        assert harness.status(id)["output"] is True


@pytest.mark.parametrize("service", ["", "Acme", "Contoso", "北京银行"])
@pytest.mark.parametrize("locale", ["cs", "el", "hu", "ro", "ru", "he", "ko", "hi", "ar", "en"])
@pytest.mark.parametrize("shown", [0, 2, 8])
def test_a_quote_that_is_cut_off_after_the_code_is_no_answer(
    tmp_path: Path, service: str, locale: str, shown: int
) -> None:
    with open_harness(tmp_path, SERVICE_NAME=service) as harness:
        id = harness.start_and_send(locale=locale)["id"]
        harness.text(f"Liked “{cut_off(harness, shown)}…”")
        assert harness.history(id)[-1] == "quoted_text"


@pytest.mark.parametrize(
    "template",
    ["{code} is your Acme code. Do not share it.", "Kód: {code}. Ne adja meg senkinek, kérjük."],
)
def test_so_is_one_of_a_text_of_the_operators(tmp_path: Path, template: str) -> None:
    with open_harness(tmp_path, CHALLENGE_TEXT=template) as harness:
        id = harness.start_and_send()["id"]
        harness.text(f"“{cut_off(harness, 8)}…”")
        assert harness.history(id)[-1] == "quoted_text"


def cut_off(harness: Harness, shown: int) -> str:
    body, code = harness.texts()[-1].body, harness.code()
    return body[: ascii_digits(body).index(code) + len(code) + shown]


def dropped(text: str) -> str:
    return "".join(letter for letter in text if letter.isascii())


def unmarked(text: str) -> str:
    apart = unicodedata.normalize("NFD", text)
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


@pytest.mark.parametrize("lose", [questioned, as_latin_1, dropped, unmarked])
@pytest.mark.parametrize(
    "template",
    [
        "Mã xác minh của bạn là {code}. Vui lòng trả lời đúng mã này.",
        "Váš ověřovací kód: {code}. Platí 5 minut.",
    ],
)
def test_a_latin_text_without_its_marks_is_a_quote(
    tmp_path: Path, template: str, lose: Any
) -> None:
    with open_harness(tmp_path, CHALLENGE_TEXT=template) as harness:
        id = harness.start_and_send()["id"]
        harness.text(f"Liked “{lose(harness.texts()[-1].body)}”")
        assert harness.history(id)[-1] == "quoted_text"


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("ja", "Olá! O código é {}. Não sei se é só isso"),
        ("ar", "Voilà le code reçu à l’instant: {}, désolé pour le délai"),
        ("ru", "Hier für Sie: {}, schöne Grüße aus Köln, möchte bestätigen"),
        ("zh-Hant", "Mã của tôi đây là: {} cám ơn bạn nhé"),
        ("cs", "Kód {}."),
        ("el", "Κωδικός {}"),
        ("el", "ο κωδικός είναι {}"),
        ("es", "{} gracias"),
        ("ro", "Codul este {}."),
        ("ro", "codul este {}, mulțumesc"),
        ("hu", "Kód: {}."),
        ("ko", "인증번호는 {}입니다"),
        ("ko", "OK 인증번호는 {}입니다."),
        ("hi", "आपका कोड {} है"),
    ],
)
def test_an_answer_in_a_sentence_of_ones_own_is_one(
    harness: Harness, locale: str, said: str
) -> None:
    id = harness.start_and_send(locale=locale)["id"]
    harness.text(said.format(harness.code()))
    assert harness.status(id)["output"] is True


def test_the_name_beside_the_code_is_an_answer(tmp_path: Path) -> None:
    with open_harness(tmp_path, SERVICE_NAME="Contoso Bank") as harness:
        id = harness.start_and_send(locale="cs")["id"]
        harness.text(f"Contoso Bank: {harness.code()}")
        assert harness.status(id)["output"] is True


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
    ],
)
def test_no_above_whatever_holds_digits_is_no(harness: Harness, locale: str, body: str) -> None:
    id = harness.start_and_send(locale=locale)["id"]
    harness.text(body.format(code=harness.code()))
    assert shown(harness, id)["cause"] == "disowned"
    assert shown(harness, id)["attemptsUsed"] == 0


@pytest.mark.parametrize("locale", ["en", "de", "ja"])
def test_no_above_our_text_is_no_without_the_mark_of_a_quote(harness: Harness, locale: str) -> None:
    id = harness.start_and_send(locale=locale)["id"]
    harness.text(f"No\n\n{harness.texts()[-1].body}")
    assert shown(harness, id)["cause"] == "disowned"


def test_no_above_a_quote_without_its_letters_approves_nothing(tmp_path: Path) -> None:
    with open_harness(tmp_path, SERVICE_NAME="Acme") as harness:
        id = harness.start_and_send(locale="ar")["id"]
        harness.text("NO\n\n> " + questioned(harness.texts()[-1].body))
        assert shown(harness, id)["cause"] == "disowned"


@pytest.mark.parametrize(
    "body",
    [
        "No\n\nI have not got the code yet, please send it again",
        "不\n\n我还没有收到验证码，请再发一次给我谢谢",
        "NO\n\nI DID NOT GET IT, PLEASE SEND ANOTHER ONE",
        "no no code came",
        "nono",
    ],
)
def test_sentences_that_begin_with_no_are_none(harness: Harness, body: str) -> None:
    id = harness.start_and_send(locale="zh-Hans" if body[0] == "不" else "en")["id"]
    harness.text(body)
    assert shown(harness, id)["status"] == "pending"


@pytest.mark.parametrize(
    ("locale", "body"),
    [
        ("ko", "아니요\n\n코드가 아직 안 왔어요 다시 한번 보내 주세요 부탁드립니다"),
        ("ar", "لا\n\nلم يصلني الرمز حتى الآن من فضلك أرسله مرة أخرى"),
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
    ],
)
def test_stop_above_a_signature_is_stop_while_one_is_pending(harness: Harness, body: str) -> None:
    id = harness.start_and_send()["id"]
    harness.text(body)
    assert shown(harness, id)["cause"] == "opted_out"
    assert harness.post_start(PHONE).json()["code"] == "opted_out"
