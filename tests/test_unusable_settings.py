"""Settings that cannot work are refused, all in one round; others cause a warning."""

import re

import pytest

from bot import settings
from tests.cloud_settings import KEY, SID, cloud, faults, warnings
from tests.harness import environment


def test_good_settings_have_neither_faults_nor_warnings() -> None:
    reading = settings.validate(cloud())
    assert (reading.faults, reading.warnings) == ((), ())
    assert settings.validate(environment()).warnings == (), "nor have those for the simulator"


def test_doubtful_settings_are_warned_of() -> None:
    for host in ("verify.example.com", "your-domain.com", "yourdomain.net", "verify.your-host.org"):
        assert "looks like an example" in warnings(PUBLIC_BASE_URL=f"https://{host}")[0]
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
        ("WINDOW_SECONDS", "soon", "not a whole number"),
        ("WINDOW_SECONDS", "12.5", "not a whole number"),
        ("WINDOW_SECONDS", "9" * 5000, "too large"),
        ("WINDOW_SECONDS", "9", "less than 10"),
        ("PORT", "65536", "more than 65535"),
        ("TWILIO_TIMEOUT_SECONDS", "long", "not a number"),
        ("TWILIO_TIMEOUT_SECONDS", "nan", "not a number"),
        ("TWILIO_TIMEOUT_SECONDS", "inf", "not a number"),
        ("DISPATCH", "maybe", "not one of the values"),
        ("SERVICE_NAME", "x" * 41, "longer than 40"),
        ("LIMIT_TOTAL", "often", "another form"),
        ("CHALLENGE_TEXT", "Your wonderful code is {code", "another form"),
        ("COUNTRY_LOCALES", "MX", "another form"),
        ("PORT", '"8000"', "quotes"),
        ("PUBLIC_BASE_URL", "https://a.example:port", "not a port"),
        ("WEBHOOK_URLS", "https://[", "not an address"),
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
        ("WINDOW_SECS", "WINDOW_SECONDS"),
        ("MESSAGING_SERVICE_SID", "TWILIO_MESSAGING_SERVICE_SID"),
        ("MAX_TRIES", "MAX_ATTEMPTS"),
    ],
)
def test_a_name_that_looks_like_one_of_ours_is_warned_of(name: str, meant: str) -> None:
    if name == "SENDER":  # of an earlier name: too far from the current one to guess
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
        ("SERVICE_NAME", "\u202eAcme"),
        ("SERVICE_NAME", "Acme\u2028Ltd"),
        ("SERVICE_NAME", "\u200b"),
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


def test_a_fault_names_the_variable_as_it_was_set() -> None:
    good = {name: value for name, value in cloud().items() if name != "TWILIO_ACCOUNT_SID"}
    checked = settings.validate({**good, "SENDERS": "none", "TwilioAccountSid": "AC1"})
    assert [line.split()[0] for line in checked.faults] == ["TwilioAccountSid", "SENDERS"]
