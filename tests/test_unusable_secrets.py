"""Secrets that were typed, quoted, copied or used twice are refused; drawn ones are taken."""

import base64
import random

import pytest

from bot import settings
from bot.settings.secret import weakness
from tests.cloud_settings import KEY, SID, TOKEN, faults
from tests.conftest import SEED, SOAK
from tests.harness import environment

OTHER_TOKEN = "5be8207cd3194fa6b07e2d85c91f46a3"
SECRETS = (
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "FUNCTION_KEY",
    "SYSTEM_KEY",
    "CONSOLE_KEY",
    "TWILIO_AUTH_TOKEN",
    "TWILIO_API_KEY_SECRET",
    "WEBHOOK_SECRET",
)
LISTS = (
    "SECRET_KEY_FALLBACKS",
    "FUNCTION_KEY",
    "SYSTEM_KEY",
    "TWILIO_AUTH_TOKEN",
    "WEBHOOK_SECRET",
)


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize(
    ("form", "said"),
    [
        ('"{}"', "quotes"),
        ("'{}'", "quotes"),
        ("“{}”", "quotes"),
        ("‘{}’", "quotes"),
        ("«{}»", "quotes"),
        ("`{}`", "quotes"),
        ('"{}', "quotes"),
        ("<{}>", "placeholder"),
        ("<your token>", "placeholder"),
        ("[your-auth-token]", "placeholder"),
        ("${{VARIABLE}}", "placeholder"),
        ("$VARIABLE", "placeholder"),
        ("$(openssl rand -hex 32)", "placeholder"),
        ("{{{{ variable }}}}", "placeholder"),
        ("%VARIABLE%", "placeholder"),
        ("your_auth_token_goes_here_please", "placeholder"),
        ("YourTwilioAuthTokenAsInTheConsole", "placeholder"),
        ("change-me-change-me-before-production", "placeholder"),
        ("replace_this_with_a_long_random_text", "placeholder"),
        ("a-long-random-text", "placeholder"),
        ("a-very-long-random-text-1234567890", "placeholder"),
        ("not-a-real-secret-key-not-a-real-key", "placeholder"),
        ("SECRET_KEY=Jh2-nV8kQ0sYtW4zRb7mXc5p", "name"),
        ("••••••••••••••••••••••••••••••••", "placeholder"),
        ("op://vault/textback/credential-of-it", "kept"),
        ("AC9f3b61e07d24c85af1603be9d7248c50", "SID"),
        ("{} {}", "blank"),
        ("{}\t{}", "blank"),
        ("{}\u200b{}", "blank"),
    ],
)
def test_what_stands_around_or_in_place_of_a_secret_is_refused(
    name: str, form: str, said: str
) -> None:
    value = form.format(KEY, KEY)
    found = faults(**{name: value, "TWILIO_API_KEY_SID": SID.replace("AC", "SK")})
    assert [line for line in found if line.startswith(f"{name} cannot be used: ") and said in line]
    assert KEY not in " ".join(found)
    assert value not in " ".join(found)


@pytest.mark.parametrize(
    "value",
    [
        "x" * 32,
        "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX",
        "0" * 32,
        "0123456789abcdef0123456789abcdef",
        "12345678901234567890123456789012",
        "abcdefghijklmnopqrstuvwxyzabcdef",
        "deadbeefdeadbeefdeadbeefdeadbeef",
        "a1b2c3d4a1b2c3d4a1b2c3d4a1b2c3d4",
        "9876543210fedcba9876543210fedcba",
    ],
)
def test_what_was_typed_and_not_drawn_is_refused(value: str) -> None:
    for name in ("SECRET_KEY", "FUNCTION_KEY", "TWILIO_AUTH_TOKEN"):
        assert "it is easy to guess" in faults(**{name: value})[0]


@pytest.mark.parametrize(
    "value",
    [
        "correcthorsebatterystaple",
        "passw0rdpassw0rd1",
        "P@ssw0rd!P@ssw0rd!",
        "Sup3rS3cretT0ken!!",
        "supersecretkey123456",
        "deadbeefcafebabe",
        "iloveyou12345678",
        "letmeinletmeinletmein",
        "admin-admin-admin1",
        "master-key-master",
        "hello-world-hello-world",
        "+14255550123+14255550100",
        "1qaz2wsx3edc4rfv",
        "!QAZ2wsx#EDC4rfv",
        "q1w2e3r4t5y6u7i8",
        "1a2b3c4d5e6f7g8h",
        "000102030405060708090a0b0c0d0e0f",
        "dragon12345678!princess",
        "Tr0ub4dor&3Tr0ub4dor",
        "contoso-function-key",
    ],
)
def test_words_in_disguise_and_published_phrases_are_refused(value: str) -> None:
    assert "FUNCTION_KEY cannot be used" in faults(FUNCTION_KEY=value)[0]


@pytest.mark.parametrize(
    "key", ["prod_8837261940_key_user", "user1-key2-test3-9928374650192837", "todo" * 20 + "q7Zx"]
)
def test_words_beside_something_drawn_are_accepted_and_cost_nothing(key: str) -> None:
    weakness(key, is_token=False)
    assert "todo" in key or weakness(key, is_token=False) is None


def test_drawn_keys_are_accepted() -> None:
    draw = random.Random(1)
    letters = "abcdefghijklmnopqrstuvwxyz"
    for _ in range(500):
        for alphabet, length in (("0123456789abcdef", 32), (letters, 20), (letters.upper(), 24)):
            key = "".join(draw.choices(alphabet, k=length))
            assert weakness(key, is_token=False) is None, key


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "   ",
        "short",
        TOKEN[:31],
        f"{OTHER_TOKEN};",
        f"t={OTHER_TOKEN}",
        f'"{OTHER_TOKEN}"',
        "x" * 32,
    ],
)
@pytest.mark.parametrize("place", ["{token},{entry}", "{entry},{token}"])
def test_every_token_of_the_list_is_looked_at(entry: str, place: str) -> None:
    (line,) = faults(TWILIO_AUTH_TOKEN=place.format(token=TOKEN, entry=entry))
    assert line.startswith("TWILIO_AUTH_TOKEN cannot be used: ")
    assert TOKEN[:31] not in line


def test_every_key_of_a_named_list_is_looked_at() -> None:
    (line,) = faults(FUNCTION_KEY=f"app:{KEY},shop:'{KEY[::-1]}'")
    assert "quotes" in line


def test_drawn_secrets_are_taken() -> None:
    drawn = random.Random(SEED)
    for _ in range(500 * SOAK):
        key = base64.urlsafe_b64encode(drawn.randbytes(32)).decode().rstrip("=")
        token = drawn.randbytes(16).hex()
        assert faults(SECRET_KEY=key, TWILIO_AUTH_TOKEN=token) == (), (key, token)


@pytest.mark.parametrize("word", ["your", "Todo", "XXXX"])
def test_a_drawn_secret_may_hold_a_short_word(word: str) -> None:
    key = f"q7-V8{word}0Zk3mGx_P4s8JtRbW2cYhNf6LuEaAoQiB1"
    assert faults(SECRET_KEY=key) == ()


@pytest.mark.parametrize(
    ("name", "other"),
    [(a, b) for a in SECRETS for b in SECRETS if a != b or a in LISTS],
)
def test_no_secret_serves_twice(name: str, other: str) -> None:
    def of(variable: str) -> str:
        return f"whsec_{TOKEN}" if variable == "WEBHOOK_SECRET" else TOKEN

    found = faults(
        **{
            "TWILIO_AUTH_TOKEN": OTHER_TOKEN,
            "TWILIO_API_KEY_SID": SID.replace("AC", "SK"),
            "TWILIO_API_KEY_SECRET": KEY,
            name: of(name),
            other: f"{of(other)},{of(other)}" if name == other else of(other),
        }
    )
    assert found
    assert name in found[0]
    assert other in found[0]
    if name != other:
        assert found[0].endswith("every secret must differ from the others.")
    assert TOKEN not in " ".join(found)


def test_a_service_sid_that_will_change_is_warned_of() -> None:
    keys = environment(SECRET_KEY_FALLBACKS=f"{KEY},{KEY[::-1]}")
    (line,) = settings.validate(keys).warnings
    of_the_oldest = settings.read(environment(SECRET_KEY=KEY[::-1])).service_sid
    assert line.endswith(f"set VERIFY_SERVICE_SID={of_the_oldest}.")
    assert settings.validate({**keys, "VERIFY_SERVICE_SID": of_the_oldest}).warnings == ()


@pytest.mark.parametrize("value", [f"{KEY},", f",{KEY}", "app:", f"app:{KEY},shop:", ","])
@pytest.mark.parametrize("name", ["FUNCTION_KEY", "CONSOLE_KEY"])
def test_a_key_that_is_left_out_is_told_as_one(name: str, value: str) -> None:
    (line,) = faults(**{name: value})
    assert line.startswith(f"{name} cannot be used: one of its keys is empty")


@pytest.mark.parametrize("name", ["TWILIO_AUTH_TOKEN", "FUNCTION_KEY", "SECRET_KEY"])
@pytest.mark.parametrize("value", ["a-long-random-secret-key", "a key for the local simulator"])
def test_for_a_simulator_a_weak_secret_is_a_warning(name: str, value: str) -> None:
    reading = settings.validate(environment(**{name: value}))
    assert reading.faults == ()
    assert [w for w in reading.warnings if w.startswith(name)]
    assert value not in reading.message


@pytest.mark.parametrize("value", ["'a-token-for-the-simulator'", "<your token>", "one,,two"])
def test_for_a_simulator_a_quoted_or_absent_token_is_refused_too(value: str) -> None:
    assert settings.validate(environment(TWILIO_AUTH_TOKEN=value)).faults


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_a_key_without_a_name_beside_one_with_a_name_is_told_as_such(order: slice) -> None:
    keys = ["app:7f3kq0Zr8vJm2LxTn5Wb", "9dYc4Hs6Pg1Xa0EuRi7K"][order]
    assert "either none of its keys has a name" in faults(FUNCTION_KEY=",".join(keys))[0]
