"""The operator who runs a command: the audit names the system's user."""

import getpass
import os

from flask import current_app

from bot import service as services
from bot.domain.operators import Action, Operator, Via
from bot.usecases.audit import Audited


def operator() -> Operator:
    """Behind sudo, the user who called it."""
    try:
        name = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # a container may run as a user without a name
        name = f"uid {os.getuid()}"
    return Operator(name, Via.COMMAND)


def audited(action: Action, *, number: str | None = None, detail: str = "") -> Audited:
    """The store of the current application, as the operator writes to it."""
    store = services.of(current_app).store
    return Audited(store, operator(), action, number=number, detail=detail)
