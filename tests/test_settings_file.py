"""A file gives the settings that the environment does not, or is refused with a line."""

import re
from pathlib import Path

import pytest

from bot import settings
from bot.server import reload
from tests.harness import environment

ROOT = Path(__file__).parents[1]


def test_a_file_gives_what_the_environment_does_not(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=8123\nHOST='127.0.0.1'\nSERVICE_NAME=\n# PORT=1\n")
    found = settings.with_file({"HOST": "::1"}, tmp_path)
    assert (found["PORT"], found["HOST"], found["SERVICE_NAME"]) == ("8123", "::1", "")
    assert settings.with_file({}, tmp_path / "elsewhere") == {}


def test_the_example_names_settings_alone() -> None:
    example = (ROOT / ".env.example").read_text()
    named = set(re.findall(r"^#? ?([A-Z][A-Z_]+)=", example, re.MULTILINE))
    required = {name for name, (_, _, is_required) in settings.variables().items() if is_required}
    assert required <= named <= set(settings.variables())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"SERVICE_NAME=Caf\xe9\n", "it is not UTF-8"),
        ("PORT=8000\n".encode("utf-16"), "it is not UTF-8"),
        (b"PORT=80\x0000\n", "NUL"),
        (b'PORT=8000\nERASE_AT_TWILIO="yes\n', "line 2"),
        (b"PORT=8000\n\nERASE_AT_TWILIO: yes\n", "line 3"),
        (b"ERASE_AT_TWILIO yes\n", "line 1"),
        (b"set ERASE_AT_TWILIO=yes\n", "line 1"),
        (b"PORT=8000\nLIMIT_TOTAL\n", "line 2"),
        (b"FUNCTION_KEY=aB3dE5gH7jK9mN1pQ3sT5vW7\n\nyes9bC1dF3hJ5kL7nP9rS1uV3\n", "line 3"),
        (b"LIMIT_TOTAL=${NOT_SET}\n", "line 1"),
        (b"PORT=8000\nDATABASE_URL=postgresql://u:pa${yes}ss@h/n\n", "line 2"),
        (b"SERVICE_NAME=${LATER}\nLATER=Contoso\n", "line 1"),
        (b"PORT=8000\nSERVICE_NAME=${PATH}\nPATH=x\n", "line 2"),
    ],
)
def test_a_file_that_cannot_be_read_whole_is_refused(
    tmp_path: Path, content: bytes, said: str
) -> None:
    (tmp_path / ".env").write_bytes(content)
    with pytest.raises(settings.SettingsError) as refused:
        settings.with_file({"PATH": "x"}, tmp_path)
    assert said in str(refused.value)
    assert str(tmp_path) in str(refused.value)
    assert "yes" not in str(refused.value)


def test_a_folder_in_place_of_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    with pytest.raises(settings.SettingsError, match="cannot be read"):
        settings.with_file({}, tmp_path)


def test_usual_forms_in_a_file_are_read(tmp_path: Path) -> None:
    lines = [
        "\ufeffPORT=8000",
        "# a comment",
        "export HOST=::1",
        "LOG_FORMAT='text' # so",
        "EMPTY=",
    ]
    (tmp_path / ".env").write_text("\r\n".join(lines), encoding="utf-8", newline="")
    assert settings.with_file({}, tmp_path) == {
        "PORT": "8000",
        "HOST": "::1",
        "LOG_FORMAT": "text",
        "EMPTY": "",
    }


def test_references_in_a_file_are_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRAND", "Contoso")
    lines = ["WORD=pass", "DATABASE_URL=postgresql://u:${WORD}@h/n", "SERVICE_NAME=${BRAND}"]
    (tmp_path / ".env").write_text("\n".join([*lines, "PORT=${NOT_SET:-8123}"]))
    assert settings.with_file({"BRAND": "Contoso"}, tmp_path) == {
        "BRAND": "Contoso",
        "WORD": "pass",
        "DATABASE_URL": "postgresql://u:pass@h/n",
        "SERVICE_NAME": "Contoso",
        "PORT": "8123",
    }


def test_blanks_and_line_ends_after_a_value_are_dropped() -> None:
    values = environment()
    given = {"DATABASE_URL": "sqlite:///x.db", "LOG_FORMAT": "text", "HOST": "::1"}
    spoilt = {name: f"{value} \r" for name, value in {**values, **given}.items()}
    spoilt |= {name: value for name, value in values.items() if "KEY" in name or "TOKEN" in name}
    read = settings.read(spoilt)
    assert (read.database_url, read.log_format, read.host) == tuple(given.values())
    assert read.twilio_account_sid == values["TWILIO_ACCOUNT_SID"]


def test_a_reload_with_a_file_that_cannot_be_read_keeps_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reload, "in_use", None)
    assert reload.renew(environment).settings is not None
    (tmp_path / ".env").write_bytes(b"\xe9")
    again = reload.renew(lambda: settings.with_file({}, tmp_path))
    assert again.settings is not None
    assert reload.in_use == environment()


def test_a_start_with_a_file_that_cannot_be_read_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reload, "in_use", None)
    (tmp_path / ".env").write_bytes(b"\xe9")
    found = reload.renew(lambda: settings.with_file({}, tmp_path))
    assert found.settings is None
    assert "it is not UTF-8" in found.message
