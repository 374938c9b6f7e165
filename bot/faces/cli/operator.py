"""The operator who runs a command: the audit names the system's user."""

import os
import pwd
from datetime import datetime

from flask import current_app

from bot import service as services
from bot.domain.operators import Action, Operator, Via
from bot.usecases.audit import AuditedStore


def operator() -> Operator:
    """The user who logged in, behind sudo too; without a terminal, the process's own."""
    try:
        return Operator(os.getlogin(), Via.COMMAND)
    except OSError:
        return Operator(_process_user(), Via.COMMAND)


def _process_user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run as a user without a name
        return f"uid {os.getuid()}"


def audited(
    action: Action, *, number: str | None = None, detail: str = "", at: datetime | None = None
) -> AuditedStore:
    """The store of the current application, as the operator writes to it."""
    store = services.of(current_app).store
    return AuditedStore(store, operator(), action, number=number, detail=detail, at=at)
