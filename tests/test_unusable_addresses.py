"""Sids, numbers and addresses that nobody can call are refused."""

import pytest

from bot import settings
from bot.store.postgres_schema import address_of
from bot.store.tx import UnusableDatabase
from tests.cloud_settings import SID, cloud, faults
from tests.harness import WEBHOOK_SECRET, environment


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TWILIO_ACCOUNT_SID", "AC" + "0" * 32),
        ("TWILIO_ACCOUNT_SID", "AC" + "a" * 32),
        ("TWILIO_ACCOUNT_SID", "ACXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX"),
        ("TWILIO_ACCOUNT_SID", "<your account sid>"),
        ("TWILIO_ACCOUNT_SID", f'"{SID}"'),
        ("TWILIO_API_KEY_SID", "SK" + "1" * 32),
        ("TWILIO_MESSAGING_SERVICE_SID", "MG" + "0" * 32),
        ("TWILIO_PHONE_NUMBER", "'+14252304110'"),
        ("TWILIO_PHONE_NUMBER", "Textback"),
    ],
)
def test_a_placeholder_of_a_sid_or_number_is_refused(name: str, value: str) -> None:
    assert any(line.startswith(f"{name} ") for line in faults(**{name: value}))


def test_the_simulator_takes_any_sid() -> None:
    assert settings.validate(environment(TWILIO_ACCOUNT_SID="AC" + "0" * 32)).faults == ()


@pytest.mark.parametrize(
    "url",
    [
        "http://verify.textback.dev",
        "http://verify.textback.dev:8443",
        "https://localhost",
        "https://textback.localhost",
        "https://127.0.0.1",
        "https://127.1",
        "https://2130706433",
        "https://0x7f000001",
        "https://0.0.0.0",
        "https://[::1]",
        "https://10.1.2.3",
        "https://172.16.0.1:8443",
        "https://192.168.1.20",
        "https://169.254.10.10",
        "https://100.64.0.1",
        "https://[fe80::1]",
        "https://[fd12:3456::1]",
        "https://[::ffff:10.0.0.1]",
        "https://printer.local",
        "https://textback.internal",
        "https://textback.home.arpa",
        "https://textback.lan",
        "https://textback.test",
        "https://textback.svc.cluster.local",
        "https://textback",
        "https://textback.",
    ],
)
def test_an_address_that_twilio_cannot_call_is_refused_with_the_cloud(url: str) -> None:
    for line in faults(PUBLIC_BASE_URL=url):
        assert line.startswith("PUBLIC_BASE_URL cannot be used")
    assert faults(PUBLIC_BASE_URL=url)
    simulated = environment(PUBLIC_BASE_URL=url)
    assert settings.validate(simulated).faults == (), "the simulator can call it"


@pytest.mark.parametrize(
    "url",
    [
        "https://verify.textback.dev/textback",
        "https://verify.textback.dev/a/",
        "https://verify.textback.dev/?",
        "https://verify.textback.dev/#here",
        "https://verify.textback.dev:0",
        "https://verify.textback.dev:port",
        "https://-verify-.textback.dev",
        "https://verify..textback.dev",
        "https://verify.textback.dev\\x",
        "https://vérify.textback.dev",
        "https://[::1",
        "https://",
        '"https://verify.textback.dev"',
        "<https://verify.textback.dev>",
    ],
)
def test_what_is_no_base_address_is_refused_everywhere(url: str) -> None:
    for values in (cloud(PUBLIC_BASE_URL=url), environment(PUBLIC_BASE_URL=url)):
        (line,) = settings.validate(values).faults
        assert line.startswith("PUBLIC_BASE_URL cannot be used: ")


def test_an_address_has_one_spelling() -> None:
    for url in ("HTTPS://Verify.Textback.Dev/", "https://verify.textback.dev:443"):
        assert settings.read(cloud(PUBLIC_BASE_URL=url)).public_base_url == (
            "https://verify.textback.dev"
        )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TWILIO_PHONE_NUMBER", "+4255550100"),
        ("TWILIO_PHONE_NUMBER", "+1425555"),
        ("TWILIO_PHONE_NUMBER", "+80012345678"),
        ("TWILIO_PHONE_NUMBER", "+881612345678"),
        ("TWILIO_PHONE_NUMBER", "+99912345678"),
        ("WEB_CONCURRENCY", "2.0"),
        ("CODE_LENGTH", "1_0"),
        ("MAX_SENDS", "３"),
        ("TWILIO_API_BASE_URL", "https://api.twilio.com/2010-04-01"),
        ("DATABASE_URL", "sqlite:///x.db?mode=ro"),
        ("DATABASE_URL", "sqlite:///~/x.db"),
        ("HOST", "127.0.0.1:8000"),
        ("HOST", "256.1.1.1"),
        ("WEBHOOK_URLS", "https://hooks..example.org/x"),
        ("WEBHOOK_URLS", f"https://{'x' * 64}.example.org/x"),
        ("WEBHOOK_URLS", "https://example.org:0/x"),
    ],
)
def test_what_cannot_be_an_address_or_a_number_is_refused(name: str, value: str) -> None:
    secret = {"WEBHOOK_SECRET": WEBHOOK_SECRET} if name == "WEBHOOK_URLS" else {}
    (line,) = faults(**{name: value, **secret})
    assert line.startswith(f"{name} cannot be used")


@pytest.mark.parametrize(
    "account",
    ["u:100%secret", "u:with blank", "u:pa/secret", "u:s@secret", "u:se#secret", "u:se?secret"],
)
def test_a_database_password_is_percent_encoded_and_never_shown(account: str) -> None:
    (line,) = faults(DATABASE_URL=f"postgresql://{account}@127.0.0.1/d")
    assert "percent-encode" in line
    assert "secret" not in line


@pytest.mark.parametrize("account", ["u:pa[secret]x", "u:pa[secret"])
@pytest.mark.parametrize("host", ["127.0.0.1", "[::1"])
def test_no_part_of_an_address_that_cannot_be_read_is_shown(account: str, host: str) -> None:
    with pytest.raises(UnusableDatabase, match="schema") as refused:
        address_of(f"postgresql://{account}@{host}/x?schema=public")
    assert "secret" not in str(refused.value)


def test_addresses_of_databases_that_are_usual() -> None:
    for rest in ("u:p%40ss@h/d", "u@h:5432/d?sslmode=require", "/d?host=/run/postgresql", "h/d"):
        assert faults(DATABASE_URL=f"postgresql://{rest}") == ()
