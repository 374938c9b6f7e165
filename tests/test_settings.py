"""The environment, read or refused with a line for each fault."""

import pytest

from bot import settings
from bot.settings import SettingsError
from bot.wording import catalogues
from bot.wording.catalogues import BrokenCatalogue
from tests.harness import ACCOUNT, NUMBER, environment

SERVICE = "MG" + "1" * 32
API_KEY_SID = "SK5d0c7a91e24bf8637d1a9c05e8b2f4d6"


def fault(**changed: str) -> str:
    with pytest.raises(SettingsError) as caught:
        settings.read(environment(**changed))
    return str(caught.value)


def test_the_defaults_are_those_of_the_sample() -> None:
    read = settings.read(environment())
    terms = read.terms
    assert (terms.code_length, terms.window_seconds, terms.max_attempts) == (4, 90, 4)
    assert (read.terms.send_within_seconds, read.port, read.dispatch) == (60, 8000, "thread")
    assert read.from_address == NUMBER


def test_an_empty_environment_names_everything_that_is_required() -> None:
    with pytest.raises(SettingsError) as caught:
        settings.read({})
    lines = str(caught.value).splitlines()
    required = [name for name, (_, _, is_required) in settings.variables().items() if is_required]
    assert [line.split()[0] for line in lines[:-1]] == required
    assert lines.pop().startswith("TWILIO_PHONE_NUMBER or TWILIO_MESSAGING_SERVICE_SID: exactly")
    assert all("It should be" in line for line in lines)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUBLIC_BASE_URL", "verify.example.com"),
        ("PUBLIC_BASE_URL", "ftp://verify.example.com"),
        ("PUBLIC_BASE_URL", "https://user:pass@verify.example.com"),
        ("PUBLIC_BASE_URL", "https://verify.example.com/?a=1"),
        ("PUBLIC_BASE_URL", "https://my_host.example.com"),
        ("PUBLIC_BASE_URL", "https://verify.example.com:99999"),
        ("TWILIO_API_BASE_URL", "http://127.evil.example.com"),
        ("CHALLENGE_TEXT", "a                  {code}"),
        ("TWILIO_ACCOUNT_SID", "ACshort"),
        ("TWILIO_ACCOUNT_SID", "SK" + "0" * 32),
        ("TWILIO_AUTH_TOKEN", "one,,two"),
        ("TWILIO_PHONE_NUMBER", "Contoso"),
        ("TWILIO_PHONE_NUMBER", "4255550100"),
        ("TWILIO_API_BASE_URL", "http://twilio.example.com"),
        ("TWILIO_API_BASE_URL", "https://user:pass@twilio.example.com"),
        ("TWILIO_TIMEOUT_SECONDS", "60"),
        ("DATABASE_URL", "mysql://x"),
        ("DATABASE_URL", "sqlite:///"),
        ("CODE_LENGTH", "3"),
        ("CODE_LENGTH", "four"),
        ("WINDOW_SECONDS", "0"),
        ("MAX_ATTEMPTS", "0"),
        ("SEND_WITHIN_SECONDS", "1"),
        ("CHALLENGE_TEXT", "Your code"),
        ("CHALLENGE_TEXT", "Your wonderful code is {code} {name}"),
        ("CHALLENGE_TEXT", "Your wonderful code is {code:>8}"),
        ("CHALLENGE_TEXT", "Your wonderful code is {code"),
        ("CHALLENGE_TEXT", "Code {code}"),
        ("FUNCTION_KEY", "a:one-very-long-key,another-long-key"),
        ("FUNCTION_KEY", "one-very-long-key,a:another-long-key"),
        ("FUNCTION_KEY", "a b:one-very-long-key"),
        ("FUNCTION_KEY", ":one-very-long-key,b:another-long-key"),
        ("FUNCTION_KEY", "one-very-long-key,"),
        ("FUNCTION_KEY", "short"),
        ("SYSTEM_KEY", "changemechangeme"),
        ("SYSTEM_KEY", "aaaaaaaaaaaaaaaaaaaaaaaa"),
        ("SECRET_KEY", "secret-key"),
        ("SECRET_KEY", "passwordpassword123"),
        ("SECRET_KEY_FALLBACKS", "a-good-long-old-key,short"),
        ("SYSTEM_KEY", "a:,b:key"),
        ("DISPATCH", "maybe"),
        ("ALLOWED_COUNTRIES", "US,XX"),
        ("LIMIT_PER_NUMBER", "often"),
        ("LIMIT_TOTAL", "0/hour"),
        ("LIMIT_TOTAL", "100000000000000000000/day"),
        ("LIMIT_TOTAL", "1/999999999999 year"),
        ("CONNECTIONS", "3"),
        ("CONNECTIONS_PER_ADDRESS", "-1"),
        ("DATABASE_CONNECTIONS", "1"),
        ("PORT", "99999"),
    ],
)
def test_a_senseless_value_is_refused_by_name(name: str, value: str) -> None:
    said = fault(**{name: value})
    assert said.startswith(f"{name} cannot be used: ")
    assert "It should be " in said
    assert len(said.splitlines()) == 1


def test_a_text_that_needs_two_segments_is_refused() -> None:
    assert "SERVICE_NAME" in fault(SERVICE_NAME="✓" * 40)
    assert "2 segments" in fault(CHALLENGE_TEXT="x" * 160 + "{code}")
    long = environment(CHALLENGE_TEXT="x" * 160 + "{code}", ALLOW_SEGMENTS="2")
    assert settings.read(long).allow_segments == 2
    assert "DEFAULT_LOCALE" in fault(DEFAULT_LOCALE="tlh")
    assert "the language 'tlh' is unknown; available are en, ar," in fault(COUNTRY_LOCALES="BR:tlh")
    assert "'UK' is no country's code" in fault(COUNTRY_LOCALES="MX:es,UK:en")
    assert "COUNTRY_LOCALES" in fault(COUNTRY_LOCALES="BR:pt,BR:es")
    chosen = settings.read(environment(COUNTRY_LOCALES="mx:es-MX, BR:pt-br"))
    assert chosen.country_locales == (("MX", "es"), ("BR", "pt-BR"))


def test_a_language_that_does_not_fit_is_not_offered() -> None:
    offered = settings.read(
        environment(SERVICE_NAME="A name of twenty-eight chars")
    ).offered_locales
    assert "en" in offered
    assert "ru" not in offered


def test_a_language_is_offered_where_one_of_its_texts_fits() -> None:
    """The text for forms is then the one without a form."""
    assert "sv" in settings.read(environment(SERVICE_NAME="Łódź Express")).offered_locales


def test_a_value_that_is_not_utf8_hides_no_other_fault() -> None:
    wrong = environment(SERVICE_NAME="Caf\udce9", WINDOW_SECONDS="5", PUBLIC_BASE_URL="")
    faults = settings.validate(wrong).faults
    assert sorted(one.split()[0].strip(":") for one in faults) == [
        "PUBLIC_BASE_URL",
        "SERVICE_NAME",
        "WINDOW_SECONDS",
    ]


def test_a_broken_catalogue_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise BrokenCatalogue("xx.po: this sentence is missing: Please")

    monkeypatch.setattr(catalogues, "load", broken)
    assert fault() == "bot/wording/catalogues/xx.po: this sentence is missing: Please"


def test_there_is_one_from_address() -> None:
    assert "TWILIO_PHONE_NUMBER or TWILIO_MESSAGING_SERVICE_SID" in fault(TWILIO_PHONE_NUMBER="")
    assert "exactly one" in fault(TWILIO_MESSAGING_SERVICE_SID=SERVICE)
    read = settings.read(environment(TWILIO_PHONE_NUMBER="", TWILIO_MESSAGING_SERVICE_SID=SERVICE))
    assert read.from_address == SERVICE


def test_an_api_key_is_whole_or_absent() -> None:
    assert "TWILIO_API_KEY_SECRET" in fault(TWILIO_API_KEY_SID=API_KEY_SID)


def test_a_key_or_name_belongs_to_one_caller() -> None:
    assert "differ" in fault(SYSTEM_KEY="a-function-key-for-tests")
    assert "differ" in fault(
        FUNCTION_KEY="a:one-very-long-key,b:other-very-long-key", SYSTEM_KEY="a:third-very-long-key"
    )
    assert "differ" in fault(FUNCTION_KEY="system:one-very-long-key")
    assert "differ" in fault(SYSTEM_KEY="function:one-very-long-key")
    assert "differ" in fault(FUNCTION_KEY="a:one-very-long-key,a:one-very-long-key")


def test_the_same_name_twice_or_none_is_one_caller_with_two_keys() -> None:
    named = settings.read(environment(FUNCTION_KEY="a:one-very-long-key,a:other-very-long-key"))
    assert [name for name, _ in named.function_key] == ["a", "a"]
    nameless = settings.read(environment(FUNCTION_KEY="new-very-long-key,old-very-long-key"))
    assert nameless.function_key == (("", "new-very-long-key"), ("", "old-very-long-key"))


def test_the_samples_own_names_are_understood() -> None:
    values = environment(TWILIO_ACCOUNT_SID="", TWILIO_AUTH_TOKEN="", TWILIO_PHONE_NUMBER="")
    read = settings.read(
        {
            **values,
            "TwilioAccountSid": ACCOUNT.sid,
            "TwilioAuthToken": ACCOUNT.auth_token,
            "TwilioPhoneNumber": NUMBER,
        }
    )
    assert (read.twilio_account_sid, read.twilio_phone_number) == (ACCOUNT.sid, NUMBER)


def test_several_keys_have_names() -> None:
    read = settings.read(environment(FUNCTION_KEY="crm:one-very-long-key, shop:another-long-key"))
    assert read.function_key == (("crm", "one-very-long-key"), ("shop", "another-long-key"))


def test_secrets_stay_out_of_faults_and_of_the_settings_own_text() -> None:
    said = fault(SECRET_KEY="", FUNCTION_KEY="hush,hush-hush", TWILIO_AUTH_TOKEN="quiet,,x")
    assert "hush" not in said
    assert "quiet" not in said
    shown = repr(settings.read(environment(FUNCTION_KEY="hush-hush-little-key")))
    for secret in ("hush-hush", ACCOUNT.auth_token, "a-secret-key", "a-system-key"):
        assert secret not in shown


def test_the_limits_are_the_documented_ones_and_can_be_none() -> None:
    names = ("PER_NUMBER", "PER_COUNTRY", "PER_KEY", "TOTAL", "WRONG_PER_NUMBER")
    values = {n: v for n, v in environment().items() if n not in {f"LIMIT_{x}" for x in names}}
    read = settings.read(values)
    assert [(x.amount, x.seconds) for x in read.limit_per_number] == [(5, 600), (10, 86400)]
    assert [(x.amount, x.seconds) for x in read.limit_wrong_per_number] == [(12, 86400)]
    assert len(read.rate_limits) == 3
    assert settings.read(environment(LIMIT_TOTAL="")).limit_total == ()


def test_the_sending_numbers_country_is_the_default() -> None:
    assert settings.read(environment(ALLOWED_COUNTRIES="")).countries == {
        *("US", "PR", "GU", "VI", "AS", "MP")
    }
    assert settings.read(environment(ALLOWED_COUNTRIES="US, CA")).countries == {"US", "CA"}
    assert settings.read(environment(ALLOWED_COUNTRIES="*")).countries == frozenset()
    said = fault(ALLOWED_COUNTRIES="", TWILIO_PHONE_NUMBER="", TWILIO_MESSAGING_SERVICE_SID=SERVICE)
    assert said.startswith("ALLOWED_COUNTRIES is not set")


def test_a_guess_budget_above_half_a_percent_is_refused_with_what_to_change() -> None:
    for changed in (
        {"LIMIT_WRONG_PER_NUMBER": ""},
        {"LIMIT_WRONG_PER_NUMBER": "51/day"},
        {"LIMIT_WRONG_PER_NUMBER": "5/hour"},
    ):
        said = fault(**changed)
        assert "LIMIT_WRONG_PER_NUMBER" in said
        assert "at most 0.5%" in said
    settings.read(environment(LIMIT_WRONG_PER_NUMBER="", LIMIT_PER_NUMBER="12/day"))
    settings.read(environment(LIMIT_WRONG_PER_NUMBER="500/day", CODE_LENGTH="6"))


def test_what_limits_look_back_to_must_be_kept() -> None:
    assert "RETENTION_DAYS is shorter" in fault(RETENTION_DAYS="1", LIMIT_TOTAL="10/month")


def test_a_database_is_named_without_its_password() -> None:
    url = "postgresql://user:a-password@db.example/textback?sslmode=require&password=another"
    read = settings.read(environment(DATABASE_URL=url))
    assert read.database_name == "postgresql://db.example/textback"
    assert "a-password" not in repr(read)
    for url in ("mysql://x/y", "sqlite:///", "postgres"):
        with pytest.raises(settings.SettingsError, match="DATABASE_URL cannot be used"):
            settings.read(environment(DATABASE_URL=url))


def test_countries_may_be_written_small() -> None:
    read = settings.read(environment(ALLOWED_COUNTRIES="us, ca"))
    assert read.allowed_countries == ("US", "CA")
