"""Every form of reply that Twilio's documentation and its users name, judged."""

import pytest

from bot.domain.keywords import Keyword, keyword
from bot.domain.reply import Attempt, Chatter, Quote, prepare, read
from tests.builders import TEXT

ATTEMPTS = [
    "1234",
    "1234 ",
    "1234\n",
    "1234.",
    "#1234",
    "\u201c1234\u201d",
    "\u200b1234\u200b",
    "\u202a1234\u202c",
    "\ufeff1234",
    "１２３４",
    "١٢٣٤",
    "१२३४",
    "1\ufe0f\u20e32\ufe0f\u20e33\ufe0f\u20e34\ufe0f\u20e3",
    "12 34",
    "1 2 3 4",
    "1-2-3-4",
    "1\u20132\u20133\u20134",
    "(1 2 3 4)",
    "My code is 1234",
    "Code: 1234 thanks",
    "code1234",
    "G1234ok",
    "+1234",
    "1234 or 1234?",
    "1234 1234",
    "1234\n1234",
    "it's 1234, I have 2 phones",
    "(1234)",
    "1234 (code)",
    "code (1234) thanks",
    "1234\n425-555-0123",
    "1234\r\n\r\n+1 (425) 555-0123",
    "1234\n12:01 PM",
    "1234\u20282:30",
    "1234 (2)",
    "(1) 1234",
    "1234 [1]",
    "1\u03322\u03323\u03324\u0332",
    'the code is "1234"',
    "\u201c1234\u201d",
    '1234\n"Carpe diem, est. 1999"',
    "Hi\n1234\n10:32 AM",
    "Code:\n1234\n30/11/2026",
    "1234 joe1999@example.com",
    "1234@",
    '12" pizza please 1234',
    "6'2\" tall, 1234 ok",
    "1234,joe@example.com",
    "joe@example.com，我的验证码是1234",
    "https://de.wikipedia.example/Köln_1999 1234",
    "@ジョー1999 1234",
    "我的验证码是1234，请发到joe@example.com",
    "My code is 1234. Regards, Joe",
    "The code is 1234. Right?",
    "1234 www.joes1999.com",
    "The code is 1234 - Joe, joes1999.com",
    "1234 see example.com/1999",
    "www.example.com/1999，我的验证码是1234",
    "www.example.com/1999我的验证码是1234",
    "it is1234.Thanks",
    "ok.thanks/1234",
    "See Ver.code/1234",
    "请看www.example.com。1234",
    "Hi.It's 1234.Bye",
    "I&#8217;m sure it&#8217;s 1234",
    "&#8220;1234&#8221;",
    "&#x200b;1234&#8230;",
]

CHATTER = [
    "",
    " ",
    "5 minutes pls",
    "Call me 555 1234",
    "Call me 555-1234",
    "Sent from my iPhone",
    "1234 or 5678",
    "1234 5678",
    "1234/5678",
    "1234, 5678",
    "123",
    "12345",
    "42",
    "²",
    "①②③④",
    "²³¹²",
    "12:34",
    "2026-01-31",
    "31.01.2026",
    "1,234",
    "1.2.3.4",
    "my code is 12 34",
    "I'm driving, call 911 or +1 425 555 0123",
    "stop please",
    "I have 2 of 4",
    "I'm driving, call me at (0161) 496 0123",
    "Abwesend. Tel. (0221) 123456",
    "電話は045(123)4567まで",
    "電話は\uff08045\uff091234まで",
    "Тел. 8(4912)123456",
    "tel [0161] 496",
    "1234\n5678",
    "Call 0161\n4960123",
    "call +44 (0) 20 7946 0958",
    "joe1234@example.com",
    "https://maps.example/Kz1234abc",
    "I am @joe1234",
    "Hi\n1234\nor 5678",
    "my number is +1 425 555\n1234",
    "Tel 425 555-\n1234",
    "see www.example.com/1234",
    "www.joes1999.com",
    "https www.hotel1887.example",
    "bit.ly/2024",
    "my.shop.co/2024/post",
    "Www.hotel1887.example",
    "WWW.JOES1999.COM",
    "joes.com?id=1999",
    "see example.com:8080",
    "I&amp;#8217;m driving",
    "Closed. Book at joes1999.com",
    "I&#8217;m driving",
    "&#8230;",
    "٠٥٠ـ١٢٣٤",
    "سأصل بين ١٠ـ١٢",
]

QUOTES = [
    "Loved \u201cYour verification code is 1234\u201d",
    "Removed a heart from \u201cYour verification code is 1234. Reply with just these\u201d",
    "Reacted 👍 to \u201cYour verification code is 1234. Reply with just\u201d",
    "Gefällt \u201cYOUR  VERIFICATION\ncode is 1234\u201d",
    "> Your verification code is 1234. Reply with just these 4 digits\n1234",
    "\u200a\u200b👍\u200b to \u201c\u200aCode 1234\u200a\u201d \u200a",
    "\u200a\u200c👍\u200c to \u201c\u200aCode 1234\u200a\u201d \u200a",
    "Liked \u201cKod 1234\u2026\u201d",
    "Liked \u201cKod 1234. Od",
    "「コード：1234…」にいいね",
    "A aimé «\u00a0Codul 1234\u2026\u00a0»",
    "Liked \u2018Kód 1234.\u2026\u2019",
    'Loved "??? 1234..."',
    "Liked \u201cMa 1234\u2026\u201d 30.11.2026",
    "[30/11/2026, 10:32] +14255550100: \u201cKód: 1234\u2026\u201d",
    "『コード1234…』",
    "‹kod 1234…›",
    "《验证码 1234…》",
    "Liked 2「kod 1234」",
    "Liked “kod 1234 abc” +4915112345",
    "Liked “kod 1̲2̲3̲4̲ abc”",
    "〈验证码 1234…〉",
]


@pytest.mark.parametrize("text", ATTEMPTS)
def test_is_an_attempt(text: str) -> None:
    assert read(prepare(text), code_length=4, challenge_text=TEXT) == Attempt("1234")


@pytest.mark.parametrize("text", CHATTER)
def test_is_chatter(text: str) -> None:
    assert read(prepare(text), code_length=4, challenge_text=TEXT) == Chatter()


@pytest.mark.parametrize("text", QUOTES)
def test_is_our_own_text_coming_back(text: str) -> None:
    assert read(prepare(text), code_length=4, challenge_text=TEXT) == Quote()


def test_leading_zeros_are_kept_and_needed() -> None:
    assert read(prepare("0042"), code_length=4, challenge_text=TEXT) == Attempt("0042")
    assert read(prepare("42"), code_length=4, challenge_text=TEXT) == Chatter()


def test_longer_codes_are_read_by_their_own_length() -> None:
    assert read(prepare("123 456"), code_length=6, challenge_text=TEXT) == Attempt("123456")
    assert read(prepare("1234"), code_length=6, challenge_text=TEXT) == Chatter()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("STOP", Keyword.STOP),
        ("stop.", Keyword.STOP),
        (" Stop! \n", Keyword.STOP),
        ("\u200bSTOP", Keyword.STOP),
        ("STOPALL", Keyword.STOP),
        ("stop all", Keyword.STOP),
        ("unsubscribe", Keyword.STOP),
        ("Cancel", Keyword.STOP),
        ("end", Keyword.STOP),
        ("quit", Keyword.STOP),
        ("revoke", Keyword.STOP),
        ("optout", Keyword.STOP),
        ("ARRET", Keyword.STOP),
        ("ARRÊT", Keyword.STOP),
        ("ARRE\u0302T", Keyword.STOP),
        ("start", Keyword.START),
        ("YES", Keyword.START),
        ("unstop", Keyword.START),
        ("Un-stop", Keyword.START),
        ("YES!", Keyword.START),
        ("start.", Keyword.START),
        ("HELP", Keyword.HELP),
        ("h e l p", Keyword.HELP),
        ("HELP?", Keyword.HELP),
        ("info", Keyword.HELP),
        ("yes please", None),
        ("help me", None),
        ("stop please", None),
        ("don't stop", None),
        ("1234", None),
        ("", None),
    ],
)
def test_keywords_stand_alone(text: str, word: Keyword | None) -> None:
    assert keyword(prepare(text)) is word
