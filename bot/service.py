"""One typed object that faces and server work with, built by `app.create_app`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import Flask

from bot.admission.admission import Admission
from bot.channels.gateway import Gateway
from bot.dispatch.loop import Dispatcher
from bot.http.keys import Keys
from bot.http.waiting import Waiting
from bot.observability.metrics import Metrics
from bot.observability.shared_counters import SharedCounters
from bot.settings import Settings
from bot.store.tx import Store
from bot.usecases.rules import Rules

_NAME = "textback"


@dataclass(frozen=True, slots=True)
class Service:
    settings: Settings
    store: Store
    rules: Rules
    admission: Admission
    gateway: Gateway
    keys: Keys
    waiting: Waiting
    dispatcher: Dispatcher
    may_expire: Callable[[], bool]  # False while replies that were missed are being read
    metrics: Metrics
    shared_counters: SharedCounters
    clock: Callable[[], datetime]  # for measuring and signing; the store has its own


def attach(service: Service, app: Flask) -> None:
    app.extensions[_NAME] = service


def of(app: Flask) -> Service:
    """The service of an application that `create_app` has made."""
    service: Service = app.extensions[_NAME]
    return service
