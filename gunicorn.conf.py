"""How gunicorn runs Textback: processes with many threads, and a dispatcher inside each."""

import os
import sys

from bot import settings as _settings
from bot.logs import configure as _configure_logs
from bot.memory import settle as _settle_memory
from bot.store.opening import is_shared as _is_shared
from bot.store.opening import open_store as _open_store
from bot.store.tx import UnusableDatabase as _UnusableDatabase

try:
    _wanted = _settings.read(os.environ)
except _settings.SettingsError as error:
    sys.exit(str(error))

_configure_logs(_wanted.log_format)  # before gunicorn's own logs, which take its form

bind = f"0.0.0.0:{_wanted.port}"
# On SQLite one process, whatever WEB_CONCURRENCY says: writers of one process share a commit,
# writers of several wait for each other's.
workers = _wanted.web_concurrency if _is_shared(_wanted.database_url) else 1
threads = _wanted.web_threads
worker_class = "bot.worker.QuietThreadWorker"
logger_class = "bot.worker.QuietLogger"
worker_connections = 1000
keepalive = 75
graceful_timeout = 30  # seconds; the dispatcher needs up to 20 of them
control_socket_disable = True
proc_name = "textback"
accesslog = "-"


def on_starting(server):
    """Before anything is forked: what cannot work says so in one line and stops."""
    try:
        _open_store(_wanted.database_url, connections=1).close()
    except _UnusableDatabase as error:
        sys.exit(str(error))


def post_worker_init(worker):
    """The worker is ready, but does not listen yet: what was missed is caught up with first."""
    _settle_memory()
    worker.wsgi.extensions["verifications"].prepare()
    worker.wsgi.extensions["sharing"].start()
    dispatcher = worker.wsgi.extensions["dispatcher"]
    if _wanted.dispatch == "thread":
        dispatcher.start()
    else:
        dispatcher.catch_up()


def worker_exit(server, worker):
    """The last request is answered: what is being sent is finished or handed back."""
    app = getattr(worker, "wsgi", None)
    if app is not None:
        app.extensions["dispatcher"].stop()
        app.extensions["sharing"].stop()
        app.extensions["verifications"].store.close()
