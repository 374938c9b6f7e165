"""Quotes that were cut off, or lost their letters."""

import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.domain.characters import ascii_digits
from tests.harness import Harness
from tests.harness import harness as open_harness
from tests.odd_cases.lost_letters import questioned


def last_event(
    folder: Path, said: Callable[[Harness], str], locale: str = "en", **settings: str
) -> str:
    """What the history has last of a verification that this reply came to."""
    with open_harness(folder, **settings) as harness:
        id = harness.start_and_send(locale=locale)["id"]
        harness.text(said(harness))
        event: str = harness.history(id)[-1]
        return event


def as_latin_1(text: str) -> str:
    return text.encode().decode("latin-1")


@pytest.mark.parametrize("lose", [questioned, as_latin_1], ids=["?", "latin-1"])
@pytest.mark.parametrize("locale", ["ru", "uk", "hi", "ar", "he", "el", "ja", "zh-Hans", "ko"])
@pytest.mark.parametrize("service", ["Acme", "Contoso Bank"])
@pytest.mark.parametrize("frame", ["Loved “{}”", "{}"])
def test_a_reaction_without_its_letters_beside_a_name_is_no_answer(
    tmp_path: Path, service: str, locale: str, lose: Any, frame: str
) -> None:
    with open_harness(tmp_path, SERVICE_NAME=service) as harness:
        id = harness.start_and_send(locale=locale)["id"]
        harness.text(frame.format(lose(harness.texts()[-1].body)))
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
@pytest.mark.parametrize("frame", ["Loved “{}”", "{}"])
def test_so_is_one_to_a_text_of_the_operators(tmp_path: Path, template: str, frame: str) -> None:
    def said(harness: Harness) -> str:
        return frame.format(questioned(harness.texts()[-1].body))

    settings = {"SERVICE_NAME": "Acme", "CHALLENGE_TEXT": template}
    assert last_event(tmp_path, said, **settings) == "quoted_text"


@pytest.mark.parametrize(
    "said", ["{} ref kp", "мой код {}, спасибо", "{}?", "code: {} ???", "What??? {} huh???"]
)
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
    def said(harness: Harness) -> str:
        return f"Liked “{cut_off(harness, shown)}…”"

    assert last_event(tmp_path, said, locale, SERVICE_NAME=service) == "quoted_text"


@pytest.mark.parametrize("locale", ["cs", "ko"])
@pytest.mark.parametrize(
    "frame", ["‘{}…’을(를) 좋아함", "'{}...'에 좋아요를 표시함", "‘{}…’にいいね", "אהבת את ״{}…״"]
)
def test_so_is_one_in_the_marks_of_any_keyboard(tmp_path: Path, frame: str, locale: str) -> None:
    def said(harness: Harness) -> str:
        return frame.format(cut_off(harness, 0))

    assert last_event(tmp_path, said, locale, SERVICE_NAME="") == "quoted_text"


@pytest.mark.parametrize(
    "template",
    ["{code} is your Acme code. Do not share it.", "Kód: {code}. Ne adja meg senkinek, kérjük."],
)
def test_so_is_one_of_a_text_of_the_operators(tmp_path: Path, template: str) -> None:
    def said(harness: Harness) -> str:
        return f"“{cut_off(harness, 8)}…”"

    assert last_event(tmp_path, said, CHALLENGE_TEXT=template) == "quoted_text"


def cut_off(harness: Harness, shown: int) -> str:
    body, code = harness.texts()[-1].body, harness.code()
    return body[: ascii_digits(body).index(code) + len(code) + shown]


def dropped(text: str) -> str:
    return "".join(letter for letter in text if letter.isascii())


def unmarked(text: str) -> str:
    apart = unicodedata.normalize("NFD", text)
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


@pytest.mark.parametrize("frame", ["Liked “{}”", "FW: {}"])
@pytest.mark.parametrize("lose", [questioned, as_latin_1, dropped, unmarked])
@pytest.mark.parametrize(
    "template",
    [
        "Mã xác minh của bạn là {code}. Vui lòng trả lời đúng mã này.",
        "Váš ověřovací kód: {code}. Platí 5 minut.",
    ],
)
def test_a_latin_text_without_its_marks_is_a_quote(
    tmp_path: Path, template: str, lose: Any, frame: str
) -> None:
    def said(harness: Harness) -> str:
        return frame.format(lose(harness.texts()[-1].body))

    assert last_event(tmp_path, said, CHALLENGE_TEXT=template) == "quoted_text"


@pytest.mark.parametrize("locale", ["cs", "hu", "ro", "en"])
def test_so_is_the_beginning_of_a_short_text_without_a_mark_of_a_quote(
    tmp_path: Path, locale: str
) -> None:
    def said(harness: Harness) -> str:
        return cut_off(harness, 10)

    assert last_event(tmp_path, said, locale) == "quoted_text"


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("ja", "Olá! O código é {}. Não sei se é só isso"),
        ("ar", "Voilà le code reçu à l’instant: {}, désolé pour le délai"),
        ("ru", "Hier für Sie: {}, schöne Grüße aus Köln, möchte bestätigen"),
        ("zh-Hant", "Mã của tôi đây là: {} cám ơn bạn nhé"),
        ("cs", "Kód {}."),
        ("de", "Der Code lautet {}"),
        ("de", "Hallo, mein Code lautet {}."),
        ("ja", "{}です。確認してください"),
        ("ar", "{} يرجى التأكيد"),
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


@pytest.mark.parametrize(
    "said",
    [
        "{}\n425-555-0123\n“Kod {}…”",
        "{}\n\n30/11/2026 10:32 ACME: “Kod {}…”",
        "Hi\n{}\n10:32 AM\n“Kod {}…”",
        "{}\n\n10:32 «Code\n{}»",
    ],
)
def test_a_code_in_a_line_of_its_own_above_a_short_quote_is_one(
    harness: Harness, said: str
) -> None:
    id = harness.start_and_send()["id"]
    harness.text(said.format(harness.code(), harness.code()))
    assert harness.status(id)["output"] is True


@pytest.mark.parametrize("locale", ["th", "uk", "ja", "ar"])
@pytest.mark.parametrize("beyond", [0, 1])
def test_a_text_read_as_latin_1_and_cut_off_is_a_quote(
    tmp_path: Path, locale: str, beyond: int
) -> None:
    with open_harness(tmp_path, SERVICE_NAME="Acme") as harness:
        id = harness.start_and_send(locale=locale)["id"]
        body, code = harness.texts()[-1].body, harness.code()
        cut = body[: body.index(code) + len(code) + beyond].encode().decode("latin-1")
        harness.text(f"Liked “{cut}…”")
        assert harness.status(id)["runtimeStatus"] == "Running"
        harness.text(f"«\u00a0{code}\u00a0», le code, «\u00a0voilà\u00a0»")
        assert harness.status(id)["output"] is True


def test_a_text_that_ends_with_its_code_leaves_answers_alone(tmp_path: Path) -> None:
    template = "Your {service} verification code is {code}"
    with open_harness(tmp_path, SERVICE_NAME="Acme", CHALLENGE_TEXT=template) as harness:
        id = harness.start_and_send()["id"]
        harness.text(f"hello, it is {harness.code()}")
        assert harness.status(id)["output"] is True


def test_the_name_beside_the_code_is_an_answer(tmp_path: Path) -> None:
    with open_harness(tmp_path, SERVICE_NAME="Contoso Bank") as harness:
        id = harness.start_and_send(locale="cs")["id"]
        harness.text(f"Contoso Bank: {harness.code()}")
        assert harness.status(id)["output"] is True
