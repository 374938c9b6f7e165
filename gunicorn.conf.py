"""How gunicorn runs Textback: processes whose threads are greenlets, a dispatcher inside each."""

from gevent import monkey

monkey.patch_all()  # before anything else is imported: sockets, locks and threads cooperate

import logging  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402

from bot import service as services  # noqa: E402
from bot import settings  # noqa: E402
from bot.concurrency.gc_settings import apply as configure_gc  # noqa: E402
from bot.observability.logs import configure as configure_logs  # noqa: E402
from bot.observability.redaction import hide  # noqa: E402
from bot.server import file_limit  # noqa: E402
from bot.server import reload as _reload  # noqa: E402 -- gunicorn has a setting named reload
from bot.settings.all_secrets import values as secrets_of  # noqa: E402
from bot.store.opening import open_store  # noqa: E402
from bot.store.tx import UnusableDatabase  # noqa: E402

_reload.drop_proxies(os.environ)
_checked = _reload.renew(lambda: settings.with_file(os.environ))
if _checked.settings is None:
    sys.exit(_checked.message)
_wanted = _checked.settings
_reload.use_proxies(os.environ)

_log = logging.getLogger("bot.settings")
# Before gunicorn configures its own loggers.
configure_logs(_wanted.log_format)
hide(secrets_of(_wanted))

_host = f"[{_wanted.host}]" if ":" in _wanted.host else _wanted.host
bind = f"{_host}:{_wanted.port}"
workers = _wanted.web_concurrency
worker_class = "bot.server.worker.Worker"
logger_class = "bot.server.logger.QuietLogger"
worker_connections = _wanted.connections
keepalive = 75  # seconds that a connection may wait for its next request
graceful_timeout = 30  # seconds; the dispatcher needs up to 20 of them
control_socket_disable = True
# Files go through `Connection.sendall` too, which has the deadline of an answer.
sendfile = False
# No header of a client changes the path or the scheme: links are built on PUBLIC_BASE_URL.
forwarded_allow_ips = ""
# The parser whose bounds are tested. By default gunicorn takes gunicorn_h1c where it is installed.
http_parser = "python"
proc_name = "textback"
accesslog = "-"


def on_starting(server):
    """Runs before any fork: a fault that prevents the start is reported in one line and ends it."""
    if server.cfg.preload_app:
        sys.exit("gunicorn's --preload cannot be used: each process opens the database by itself.")
    _warn()
    try:
        _make_room()
        open_store(_wanted.database_url, connections=1).close()
    except (UnusableDatabase, file_limit.TooLow) as error:
        sys.exit(str(error))


def on_reload(server):
    """Runs before the new processes begin: CONNECTIONS may have grown."""
    _warn()
    try:
        _make_room()
    except file_limit.TooLow as error:
        _log.error("%s", error)  # it goes on with what the limit leaves


def _warn():
    for warning in _checked.warnings:
        _log.warning("settings: %s", warning)


def _make_room():
    if warning := file_limit.make_room(_wanted):
        _log.warning("settings: %s", warning)


def post_worker_init(worker):
    """Runs when the worker is ready but does not listen yet: reads missed replies first."""
    configure_gc()
    service = services.of(worker.wsgi)
    service.admission.refresh()  # counts earlier starts, so that the first start need not wait
    service.shared_counters.start()
    if _wanted.dispatch == "thread":
        service.dispatcher.start()
    else:
        service.dispatcher.catch_up()


def worker_exit(server, worker):
    """Runs after the last request is answered: texts being sent are finished or handed back."""
    app = getattr(worker, "wsgi", None)
    if app is not None:
        service = services.of(app)
        service.dispatcher.stop()
        service.shared_counters.stop()
        service.store.close()
