"""Databases that cannot be used: refused in words at a start, by `flask check` and by a reload."""

import shutil
import sqlite3
import stat
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot import settings
from bot.server import reload
from bot.store.opening import open_store, schema_version
from bot.store.tx import UnusableDatabase
from tests.harness import environment


def urls(folder: Path) -> dict[str, str]:
    (folder / "dangling").symlink_to(folder / "unmounted" / "x.db")
    return {
        "a folder": f"sqlite:///{folder}",
        "a name that is too long": f"sqlite:///{folder}/{'x' * 300}.db",
        "a link that leads nowhere": f"sqlite:///{folder}/dangling",
        "a host that is no name": "postgresql://u:p@db..internal/x",
        "a host of too long a label": f"postgresql://u:p@{'x' * 64}/x",
    }


@pytest.mark.parametrize(
    "what",
    [
        "a folder",
        "a name that is too long",
        "a link that leads nowhere",
        "a host that is no name",
        "a host of too long a label",
    ],
)
def test_it_is_refused_in_words(tmp_path: Path, what: str) -> None:
    url = urls(tmp_path)[what]
    with pytest.raises(UnusableDatabase):
        schema_version(url)
    with pytest.raises(UnusableDatabase):
        open_store(url, connections=1)


def test_a_file_without_its_schema_version_is_told_as_such(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    open_store(url, connections=1).close()
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.execute("DELETE FROM schema_version")
    with pytest.raises(UnusableDatabase, match="no schema version"):
        open_store(url, connections=1)


def test_a_full_disk_is_told_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands in for a full file system: SQLite says only that an input or output failed."""
    (tmp_path / "x.db").write_bytes(b"no database at all")
    used = shutil._ntuple_diskusage(1_000_000, 996_000, 4_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: used)
    with pytest.raises(UnusableDatabase, match="the disk is full"):
        open_store(f"sqlite:///{tmp_path}/x.db", connections=1)


def test_a_device_keeps_its_permissions(tmp_path: Path) -> None:
    before = stat.S_IMODE(Path("/dev/null").stat().st_mode)
    with pytest.raises(UnusableDatabase, match="not a file"):
        open_store("sqlite:////dev/null", connections=1)
    assert stat.S_IMODE(Path("/dev/null").stat().st_mode) == before


def test_a_reload_survives_whatever_a_check_raises(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(reload, "in_use", None)
    first = environment()
    assert reload.renew(lambda: first).settings is not None

    def raises(_: str) -> None:
        raise RuntimeError("a fault of a library")

    monkeypatch.setattr(reload, "schema_version", raises)
    second: Mapping[str, str] = {**first, "DATABASE_URL": "sqlite:///elsewhere.db"}
    kept = reload.renew(lambda: second).settings
    assert kept is not None
    assert kept.database_url != second["DATABASE_URL"]
    assert "RuntimeError" in caplog.text


def test_a_database_in_memory_is_refused() -> None:
    (fault,) = settings.validate(environment(DATABASE_URL="sqlite:///:memory:")).faults
    assert "in-memory" in fault


def test_a_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (fault,) = settings.validate(environment(DATABASE_URL=f"sqlite:///{tmp_path}/data/")).faults
    assert "names a folder" in fault


def test_a_parameter_that_postgresql_does_not_know_is_named() -> None:
    with pytest.raises(UnusableDatabase, match=r"no parameter sslmod$"):
        schema_version("postgresql://user:s3cret@127.0.0.1:9/name?sslmod=require&hidden=x")


def test_an_address_without_a_database_is_named_by_its_user() -> None:
    with pytest.raises(UnusableDatabase, match=r"^someone at 127\.0\.0\.1 cannot be used"):
        schema_version("postgresql://someone@127.0.0.1:9")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTPS_PROXY", "socks5://127.0.0.1:1080"),
        ("HTTPS_PROXY", "http://127.0.0.1:99999"),
        ("https_proxy", "http://[::1"),
        ("HTTPS_PROXY", "http://user:s3cr/et@127.0.0.1:18310"),
        ("ALLOWED_COUNTRIES", "\udcff"),
        ("LIMIT_PER_NUMBER", "\udcff"),
        ("LIMIT_PER_NUMBER", "5/0 minutes"),
    ],
)
def test_other_values_that_fail_later_are_faults_at_once(name: str, value: str) -> None:
    values = environment(TWILIO_API_BASE_URL="https://127.0.0.1:9", **{name: value})
    (fault,) = settings.validate(values).faults
    assert fault.startswith(f"{name.upper()} cannot be used")
    assert "s3cr" not in fault


def test_a_proxy_that_nothing_would_use_is_no_fault() -> None:
    """A developer's machine may name one that only other programs understand."""
    assert settings.validate(environment(HTTPS_PROXY="socks5h://127.0.0.1:1080")).faults == ()


def test_blanks_around_the_other_names_of_settings_are_ignored() -> None:
    values = environment()
    number = values.pop("TWILIO_PHONE_NUMBER")
    checked = settings.validate({**values, "TwilioPhoneNumber": f" {number} "})
    assert checked.settings is not None, checked.message


def test_proxies_of_the_file_reach_libraries_and_change_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reload, "in_use", None)
    process = {"PATH": "/bin", "NO_PROXY": "own.example"}
    for proxy in ("http://one:1", "http://two:2", ""):
        reload.drop_proxies(process)
        values = {**environment(), "HTTPS_PROXY": proxy, "no_proxy": "file.example", **process}
        assert reload.renew(lambda values=values: values).settings is not None
        reload.use_proxies(process)
        assert process.get("HTTPS_PROXY", "") == proxy
        assert process["NO_PROXY"] == "own.example"
        assert "no_proxy" not in process
    reload.drop_proxies(process)
    assert process == {"PATH": "/bin", "NO_PROXY": "own.example"}
