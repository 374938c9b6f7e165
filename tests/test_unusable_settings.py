"""Settings that cannot work are refused, all in one round; doubtful ones are warned of."""

import base64
import random
import re

import pytest

from bot import settings
from bot.settings.secret import weakness
from tests.conftest import SEED, SOAK
from tests.harness import WEBHOOK_SECRET, environment

TOKEN = "c41d7be09f2358a6d0e7941b8c5f36a2"
OTHER_TOKEN = "5be8207cd3194fa6b07e2d85c91f46a3"
SID = "AC9f3b61e07d24c85af1603be9d7248c50"
KEY = "Jh2-nV8kQ0sYtW4zRb7mXc5p"
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


def cloud(**changed: str) -> dict[str, str]:
    """Settings for Twilio itself, all of them good."""
    return environment(
        **{
            "TWILIO_API_BASE_URL": "",
            "PUBLIC_BASE_URL": "https://verify.textback.dev",
            "TWILIO_ACCOUNT_SID": SID,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_PHONE_NUMBER": "+14252304110",
            **changed,
        }
    )


def faults(**changed: str) -> tuple[str, ...]:
    return settings.validate(cloud(**changed)).faults


def warnings(**changed: str) -> tuple[str, ...]:
    return settings.validate(cloud(**changed)).warnings


def test_good_settings_have_neither_faults_nor_warnings() -> None:
    reading = settings.validate(cloud())
    assert (reading.faults, reading.warnings) == ((), ())
    assert settings.validate(environment()).warnings == (), "nor have those for the simulator"


# -- secrets ---------------------------------------------------------------------------------------


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


# -- sids, numbers and addresses -------------------------------------------------------------------


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


def test_doubtful_settings_are_warned_of() -> None:
    for host in ("verify.example.com", "your-domain.com", "yourdomain.net", "verify.your-host.org"):
        assert "looks like an example's" in warnings(PUBLIC_BASE_URL=f"https://{host}")[0]
    assert "port 8443" in warnings(PUBLIC_BASE_URL="https://verify.textback.dev:8443")[0]
    assert "certificate" in warnings(PUBLIC_BASE_URL="https://1.1.1.1")[0]
    assert "reserved for examples" in warnings(TWILIO_PHONE_NUMBER="+14255550100")[0]
    assert "reserved for examples" in warnings(TWILIO_PHONE_NUMBER="+15005550006")[0]
    other = f"{KEY}{KEY[::-1]}".replace("-", "")
    assert "32 hexadecimal digits" in warnings(TWILIO_AUTH_TOKEN=other)[0]
    assert "SECRET_KEY_FALLBACKS" in warnings(SECRET_KEY=f"{KEY},{KEY[::-1]}")[0]
    assert "SERVICE_NAME is in quotes" in warnings(SERVICE_NAME='"Contoso"')[0]
    (line,) = warnings(TWILIO_API_BASE_URL="http://127.0.0.1:9")
    assert "reach no phone" in line
    (line,) = warnings(
        TWILIO_API_BASE_URL="https://double.textback.dev", PUBLIC_BASE_URL="http://textback:8000"
    )[:1]
    assert "plain http" in line


# -- all at once, in our words ---------------------------------------------------------------------


def test_all_faults_are_told_in_one_round() -> None:
    found = faults(
        PUBLIC_BASE_URL="http://10.0.0.1",
        TWILIO_ACCOUNT_SID="AC" + "0" * 32,
        TWILIO_AUTH_TOKEN="",
        TWILIO_MESSAGING_SERVICE_SID="MG" + SID[2:],
        SECRET_KEY=KEY,
        FUNCTION_KEY=KEY,
        SYSTEM_KEY="cli:a-fine-key-of-some-length",
        WINDOW_SECONDS="soon",
        MAX_ATTEMPTS="0",
        ALLOWED_COUNTRIES="US,XX",
        SERVICE_NAME="✓" * 40,
        LIMIT_WRONG_PER_NUMBER="",
        RETENTION_DAYS="1",
        LIMIT_TOTAL="10/month",
        WEBHOOK_URLS="https://app.textback.dev/hook",
    )
    named = [
        *("PUBLIC_BASE_URL", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_PHONE_NUMBER"),
        *("SECRET_KEY and FUNCTION_KEY", "the names cli", "WINDOW_SECONDS", "MAX_ATTEMPTS"),
        *("ALLOWED_COUNTRIES", "RETENTION_DAYS", "WEBHOOK_SECRET is not set"),
    ]
    assert [name for name in named if not any(name in line for line in found)] == []


def test_a_rule_says_nothing_of_what_has_its_own_line() -> None:
    (line,) = faults(CODE_LENGTH="many", SERVICE_NAME="✓" * 40)
    assert line.startswith("CODE_LENGTH")
    (line,) = faults(WEBHOOK_URLS="https://a.example/", WEBHOOK_SECRET="<secret>")
    assert line.startswith("WEBHOOK_SECRET cannot be used")


LIBRARYS = re.compile(
    r"Input should|valid|parse|pydantic|type=|Field required|expected|unmatched|couldn't|String"
    r"|unable|cast|at least \d+ char"
)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("WINDOW_SECONDS", "soon", "no whole number"),
        ("WINDOW_SECONDS", "12.5", "no whole number"),
        ("WINDOW_SECONDS", "9" * 5000, "too large"),
        ("WINDOW_SECONDS", "9", "less than 10"),
        ("PORT", "65536", "more than 65535"),
        ("TWILIO_TIMEOUT_SECONDS", "long", "no number"),
        ("TWILIO_TIMEOUT_SECONDS", "nan", "cannot be used"),
        ("TWILIO_TIMEOUT_SECONDS", "inf", "more than 8"),
        ("DISPATCH", "maybe", "not one of the values"),
        ("SERVICE_NAME", "x" * 41, "longer than 40"),
        ("LIMIT_TOTAL", "often", "another form"),
        ("CHALLENGE_TEXT", "Your wonderful code is {code", "another form"),
        ("COUNTRY_LOCALES", "MX", "another form"),
        ("PORT", '"8000"', "quotes"),
        ("PUBLIC_BASE_URL", "https://a.example:port", "no port"),
        ("WEBHOOK_URLS", "https://[", "no address"),
    ],
)
def test_faults_are_told_in_our_words(name: str, value: str, said: str) -> None:
    (line,) = faults(**{name: value})
    assert said in line
    assert LIBRARYS.search(line.partition("It should be")[0]) is None, line


# -- names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("WINDOW_SECOND", "WINDOW_SECONDS"),
        ("WINDOWS_SECONDS", "WINDOW_SECONDS"),
        ("WINDOWSECONDS", "WINDOW_SECONDS"),
        ("window_seconds", "WINDOW_SECONDS"),
        ("WindowSeconds", "WINDOW_SECONDS"),
        ("WINDOW-SECONDS", "WINDOW_SECONDS"),
        ("WINDOW_SECODNS", "WINDOW_SECONDS"),
        ("_WINDOW_SECONDS", "WINDOW_SECONDS"),
        ("TEXTBACK_WINDOW_SECONDS", "WINDOW_SECONDS"),
        ("TEXTBACK_PORT", "PORT"),
        ("ALLOWED_COUNTRY", "ALLOWED_COUNTRIES"),
        ("ALLOW_COUNTRIES", "ALLOWED_COUNTRIES"),
        ("WEBHOOK_URL", "WEBHOOK_URLS"),
        ("WEBHOOK_SECRETS", "WEBHOOK_SECRET"),
        ("FUNCTION_KEYS", "FUNCTION_KEY"),
        ("SECRET_KEYS", "SECRET_KEY"),
        ("SECRET_KEY_FALLBACK", "SECRET_KEY_FALLBACKS"),
        ("PUBLIC_BASEURL", "PUBLIC_BASE_URL"),
        ("PUBLIC_BASE_URI", "PUBLIC_BASE_URL"),
        ("TWILIO_AUTHTOKEN", "TWILIO_AUTH_TOKEN"),
        ("TWILLIO_AUTH_TOKEN", "TWILIO_AUTH_TOKEN"),
        ("TWILIO_NUMBER", "TWILIO_PHONE_NUMBER"),
        ("TWILIO_FROM", "TWILIO_PHONE_NUMBER"),
        ("TWILIO_SID", "TWILIO_ACCOUNT_SID"),
        ("TWILIO_AUTH_TOKEN_2", "TWILIO_AUTH_TOKEN"),
        ("TWILIO_API_SECRET", "TWILIO_API_KEY_SECRET"),
        ("TWILIO_API_KEY", "TWILIO_API_KEY_SID"),
        ("TWILIO_MESSAGE_SERVICE_SID", "TWILIO_MESSAGING_SERVICE_SID"),
        ("twilioAuthToken", "TWILIO_AUTH_TOKEN"),
        ("MAX_ATTEMPT", "MAX_ATTEMPTS"),
        ("LIMITS_PER_NUMBER", "LIMIT_PER_NUMBER"),
        ("SENDER", "SEND_CONCURRENCY"),
    ],
)
def test_a_name_that_looks_like_one_of_ours_is_warned_of(name: str, meant: str) -> None:
    if name == "SENDER":  # of an earlier name: too far from the present one to guess
        assert warnings(SENDER="3") == ()
        return
    assert warnings(**{name: "value"}) == (f"{name} is not read. The variable is {meant}.",)
    reading = settings.validate({name: "value"})
    assert f"Warning: {name} is not read" in reading.message, "it may be why another is not set"


# Names of shells, desktops, containers, platforms and programs beside this one.
USUAL = """
PATH HOME USER LOGNAME SHELL TERM PWD OLDPWD LANG LC_ALL LC_CTYPE TZ EDITOR PAGER MAIL HOSTNAME
HOSTTYPE MACHTYPE OSTYPE SHLVL TMPDIR TEMP DISPLAY COLORTERM SSH_AUTH_SOCK SSH_CONNECTION _ PS1
XDG_RUNTIME_DIR XDG_SESSION_ID DBUS_SESSION_BUS_ADDRESS INVOCATION_ID JOURNAL_STREAM
PYTHONPATH PYTHONHOME PYTHONUNBUFFERED PYTHONDONTWRITEBYTECODE PYTHONHASHSEED PYTHON_VERSION
PYTHON_PIP_VERSION VIRTUAL_ENV PIP_INDEX_URL PIPENV_ACTIVE GPG_KEY
GUNICORN_CMD_ARGS WEB_MEMORY WEB_CONCURRENCY FLASK_APP FLASK_DEBUG FLASK_ENV FLASK_RUN_PORT
FLASK_RUN_HOST FLASK_SKIP_DOTENV DJANGO_SETTINGS_MODULE SECRET_KEY_BASE SECRET APP_KEY APP_NAME
APP_URL APP_ENV NODE_ENV NODE_OPTIONS RAILS_ENV RACK_ENV LOG_LEVEL LOGLEVEL DEBUG ENVIRONMENT
http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY SSL_CERT_FILE
REQUESTS_CA_BUNDLE CURL_CA_BUNDLE
DYNO SOURCE_VERSION STACK HEROKU_APP_NAME HEROKU_RELEASE_VERSION DATABASE_CONNECTION_POOL_URL
DATABASE_PUBLIC_URL DATABASE_PRIVATE_URL HEROKU_POSTGRESQL_COBALT_URL REDIS_URL CLOUDAMQP_URL
RAILWAY_PUBLIC_DOMAIN RAILWAY_SERVICE_NAME RENDER_EXTERNAL_URL RENDER_EXTERNAL_HOSTNAME
RENDER_SERVICE_NAME FLY_APP_NAME FLY_PUBLIC_IP K_SERVICE K_REVISION K_CONFIGURATION
FUNCTION_TARGET FUNCTION_NAME FUNCTION_SIGNATURE_TYPE FUNCTIONS_WORKER_RUNTIME WEBSITE_HOSTNAME
WEBSITE_SITE_NAME AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_REGION
GOOGLE_APPLICATION_CREDENTIALS AZURE_CLIENT_SECRET
PGHOST PGPORT PGUSER PGPASSWORD PGDATABASE POSTGRES_PASSWORD POSTGRES_USER POSTGRES_DB
DATABASE_HOST DATABASE_NAME DATABASE_USER DATABASE_PASSWORD DB_HOST DB_PORT
KUBERNETES_SERVICE_HOST KUBERNETES_SERVICE_PORT KUBERNETES_PORT KUBERNETES_PORT_443_TCP
TEXTBACK_SERVICE_HOST TEXTBACK_SERVICE_PORT TEXTBACK_PORT_8000_TCP_ADDR
TWILIO_EDGE TWILIO_REGION SENTRY_DSN NEW_RELIC_LICENSE_KEY DD_AGENT_HOST OTEL_SERVICE_NAME
STRIPE_WEBHOOK_SECRET GITHUB_WEBHOOK_SECRET SLACK_WEBHOOK_URL STRIPE_SECRET_KEY
CI GITHUB_TOKEN GITHUB_ACTIONS SIMULATOR_PORT SIGNUP_PORT SIGNUP_SECRET_KEY VERIFY_SIGNUP_PORT
SIGNUP_DATABASE SOAK REQUIRE_BROWSER TEST_DATABASE MAKEFLAGS MAKELEVEL MFLAGS HISTSIZE LS_COLORS
DEV_DATABASE_URL DATABASE_URL_RO S3_SECRET_KEY MY_SECRET_KEY DB_URL BASE_URL PUBLIC_URL
SENDGRID_API_KEY MAX_CONNECTIONS MAX_WORKERS MAX_REQUESTS TIMEOUT WORKERS CONNECTION_STRING
"""


def test_a_usual_environment_is_not_warned_of() -> None:
    usual = {name: "value" for name in USUAL.split() if name != "WEB_CONCURRENCY"}
    links = {"TEXTBACK_PORT": "tcp://10.0.0.1:8000", "TWILIO_PORT": "tcp://10.0.0.2:80"}
    assert warnings(**usual, **links) == ()


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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("COUNTRY_LOCALES", "MX:es;BR:pt-BR"),
        ("COUNTRY_LOCALES", "CH:de;FR:fr"),
        ("DEFAULT_LOCALE", "xx,de"),
        ("DEFAULT_LOCALE", "en;q=0.5"),
        ("DEFAULT_LOCALE", "en,es"),
        ("SERVICE_NAME", "{code}"),
        ("SERVICE_NAME", "Bank {code}"),
        ("SERVICE_NAME", "${APP_NAME}"),
        ("SERVICE_NAME", "{{company}}"),
        ("SERVICE_NAME", "<your company>"),
        ("SERVICE_NAME", "Con\ntoso"),
        ("SERVICE_NAME", "Contoso\x1b[1m"),
        ("CHALLENGE_TEXT", "Your login code is 1{code}, for you"),
        ("CHALLENGE_TEXT", "Your login code is {code}{digits}, for you"),
        ("CHALLENGE_TEXT", "Your login code is {code}{code}, for you"),
    ],
)
def test_texts_that_would_mislead_are_refused(name: str, value: str) -> None:
    (line,) = faults(**{name: value})
    assert line.startswith(f"{name} cannot be used")


def test_minutes_are_told_with_one_decimal_at_most() -> None:
    template = "Your login code is {code}, valid for {minutes} minutes"
    (line,) = faults(CHALLENGE_TEXT=template, WINDOW_SECONDS="100")
    assert "1.66667" in line
    for seconds in ("60", "90", "600"):
        assert faults(CHALLENGE_TEXT=template, WINDOW_SECONDS=seconds) == ()


def test_platforms_write_tags_with_underscores() -> None:
    assert faults(DEFAULT_LOCALE="pt_BR", COUNTRY_LOCALES="MX:es_MX") == ()


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


def test_addresses_of_databases_that_are_usual() -> None:
    for rest in ("u:p%40ss@h/d", "u@h:5432/d?sslmode=require", "/d?host=/run/postgresql", "h/d"):
        assert faults(DATABASE_URL=f"postgresql://{rest}") == ()


def test_a_fault_names_the_variable_as_it_was_set() -> None:
    good = {name: value for name, value in cloud().items() if name != "TWILIO_ACCOUNT_SID"}
    checked = settings.validate({**good, "SENDERS": "none", "TwilioAccountSid": "AC1"})
    assert [line.split()[0] for line in checked.faults] == ["TwilioAccountSid", "SENDERS"]
