"""`make run`: the simulator and Textback beside it, with ready-made keys.

The settings are written to instance/local.env at the first run and kept, so that commands and curl
lines in another shell can use them.
"""

import base64
import fcntl
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO
from urllib.error import URLError
from urllib.request import urlopen

from dotenv import set_key

from bot.settings import env_file
from simulator.receiver import PATH
from simulator.server import Simulator
from simulator.world import Account, Number, Service, new_sid

SETTINGS = Path("instance/local.env")
SIGNUP_PORT = "8002"  # of `make signup`, the example application
SIGNUP_PATH = "/webhooks"
# What a run puts at the beginning of a list, on whatever ports.
OWN_URLS = (rf"http://127\.0\.0\.1:[0-9]+{PATH}", rf"http://127\.0\.0\.1:[0-9]+{SIGNUP_PATH}")
OWN_ORIGINS = (r"http://127\.0\.0\.1:[0-9]+", r"http://localhost:[0-9]+")
PLAIN = re.compile(r"[\w@%+=:,./*-]*")  # needs no quotation marks in a shell
READY_SECONDS = 30


def main() -> int:
    lock = only_one_of(SETTINGS.parent / "local.lock")
    port, simulator_port = free_port("PORT", "8000"), free_port("SIMULATOR_PORT", "8001")
    if port == simulator_port:
        sys.exit(f"PORT and SIMULATOR_PORT are both {port}: choose two ports.")
    settings = local_settings(SETTINGS, port=port, simulator_port=simulator_port)
    simulator = Simulator(
        Account(settings["TWILIO_ACCOUNT_SID"], first_key(settings["TWILIO_AUTH_TOKEN"])),
        Number(
            settings["TWILIO_PHONE_NUMBER"],
            sms_url=f"{settings['PUBLIC_BASE_URL']}/twilio/sms#rc=2&rp=5xx,ct,rt",
        ),
        port=simulator_port,
        service_url=settings["PUBLIC_BASE_URL"],
        function_key=first_key(settings["FUNCTION_KEY"]),
        system_key=first_key(settings["SYSTEM_KEY"]),
        webhook_secrets=[one.strip() for one in settings["WEBHOOK_SECRET"].split(",")],
    )
    # A pool with a campaign, as US carriers ask for: `flask check --twilio` finds no fault.
    simulator.world.configure_service(
        Service(new_sid("MG"), simulator.world.number.sid, campaign_status="VERIFIED")
    )
    simulator.start()
    gunicorn = str(Path(sys.executable).parent / "gunicorn")
    service = subprocess.Popen([gunicorn, "wsgi:app"], env={**os.environ, **settings})
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):  # the last: a closed terminal
        signal.signal(name, lambda *_: service.terminate())
    try:
        if wait_until_ready(settings["PUBLIC_BASE_URL"], service):
            keep(SETTINGS, settings)
            print(greeting(settings, simulator.url), flush=True)
        return service.wait()
    finally:
        service.terminate()
        service.wait()
        simulator.stop()
        lock.close()


def only_one_of(path: Path) -> IO[str]:
    """Opens and locks a file; the lock is held until the file is closed. Two runs in one folder
    would share a database, and the second would overwrite the addresses of the first. Ends the
    program if another run holds the lock."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    file = path.open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.exit("make run is already running in this folder. Stop it, or use another folder.")
    return file


def free_port(variable: str, default: str) -> int:
    """The port that a variable names. Ends the program with a message if it is not available."""
    text = os.environ.get(variable, default)
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        sys.exit(f"{variable} is {text!r}; it should be a port, 1 to 65535.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(text)))
        except OSError as error:
            sys.exit(f"Port {text}: {error.strerror}. Choose another with {variable}=… make run.")
    return int(text)


def local_settings(path: Path, *, port: int, simulator_port: int) -> dict[str, str]:
    """Settings for this machine: those of the file, random keys, and the addresses of this run."""
    try:
        kept = env_file.variables(path, known=os.environ.keys())
    except env_file.UnreadableFile as error:
        sys.exit(str(error))
    signup_port = os.environ.get("SIGNUP_PORT", SIGNUP_PORT)
    # While `make signup` is not running, events to the example fail, each with a log line.
    own = [
        f"http://127.0.0.1:{simulator_port}{PATH}",
        f"http://127.0.0.1:{signup_port}{SIGNUP_PATH}",
    ]
    origins = [f"http://127.0.0.1:{signup_port}", f"http://localhost:{signup_port}"]
    return {
        **{name: value for name, value in kept.items() if value},
        "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}",
        "HOST": kept.get("HOST") or "127.0.0.1",
        "PORT": str(port),
        "TWILIO_API_BASE_URL": f"http://127.0.0.1:{simulator_port}",
        "TWILIO_ACCOUNT_SID": kept.get("TWILIO_ACCOUNT_SID") or f"AC{secrets.token_hex(16)}",
        "TWILIO_AUTH_TOKEN": kept.get("TWILIO_AUTH_TOKEN") or secrets.token_hex(16),
        "TWILIO_PHONE_NUMBER": kept.get("TWILIO_PHONE_NUMBER") or "+14255550100",
        "SECRET_KEY": kept.get("SECRET_KEY") or secrets.token_hex(32),
        "FUNCTION_KEY": kept.get("FUNCTION_KEY") or secrets.token_hex(24),
        "SYSTEM_KEY": kept.get("SYSTEM_KEY") or secrets.token_hex(24),
        "CONSOLE_KEY": kept.get("CONSOLE_KEY") or secrets.token_hex(24),
        "VERIFY_SERVICE_SID": kept.get("VERIFY_SERVICE_SID") or f"VA{secrets.token_hex(16)}",
        "WEBHOOK_URLS": _joined(own, kept.get("WEBHOOK_URLS"), ours=OWN_URLS),
        "WEBHOOK_SECRET": kept.get("WEBHOOK_SECRET") or new_webhook_secret(),
        "ALLOWED_ORIGINS": _joined(origins, kept.get("ALLOWED_ORIGINS"), ours=OWN_ORIGINS),
        "DATABASE_URL": kept.get("DATABASE_URL") or "sqlite:///instance/local.db",
        "LOG_FORMAT": kept.get("LOG_FORMAT") or "text",
    }


def _joined(own: Sequence[str], kept: str | None, *, ours: Sequence[str]) -> str:
    """A list with what this run puts there, and what was added to the file's list by hand. `ours`:
    patterns of what an earlier run, perhaps on other ports, has put at the beginning."""
    given = [value.strip() for value in (kept or "").split(",")]
    if len(given) >= len(ours) and all(map(re.fullmatch, ours, given)):
        given = given[len(ours) :]
    return ",".join([*own, *(value for value in given if value and value not in own)])


def first_key(values: str) -> str:
    """The first of a list of keys, without the name that may stand before it."""
    name, colon, key = values.split(",")[0].partition(":")
    return (key if colon else name).strip()


def new_webhook_secret() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


def keep(path: Path, settings: dict[str, str]) -> None:
    """Writes what has changed into the settings file; other lines stay as they are. Call it once
    both servers run, so that a run that fails to start does not overwrite the file of a run in
    progress."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(mode=0o600)
    kept = env_file.variables(path, known=os.environ.keys())
    for name, value in settings.items():
        if kept.get(name) != value:
            quotes = "never" if PLAIN.fullmatch(value) else "always"
            set_key(path, name, value, quote_mode=quotes, follow_symlinks=True)


def wait_until_ready(base_url: str, service: "subprocess.Popen[bytes]") -> bool:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until and service.poll() is None:
        try:
            with urlopen(f"{base_url}/healthz", timeout=1):
                return True
        except (URLError, OSError):
            time.sleep(0.1)
    return False


def greeting(settings: dict[str, str], simulator_url: str) -> str:
    base_url, key = settings["PUBLIC_BASE_URL"], first_key(settings["FUNCTION_KEY"])
    code = "$FUNCTION_KEY" if key == settings["FUNCTION_KEY"] else key
    return f"""
  The phones         {simulator_url}   <- begin here: a button there starts a verification
  The console        {base_url}/console/   its key: {first_key(settings["CONSOLE_KEY"])}
  Textback itself    {base_url}
  A sign-up form     make signup, in another shell: an application that uses all this

Or start one from another shell, in this folder:

  . {SETTINGS}
  curl -s -d '"+14255550123"' \\
    "$PUBLIC_BASE_URL/orchestrators/E4_SmsPhoneVerification?code={code}"

The text appears on the phone page; reply with its code there. Ctrl-C ends all.
"""


if __name__ == "__main__":
    sys.exit(main())
