"""One typed object that faces and server work with, built by `app.create_app`."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from flask import Flask

from bot.admission.admission import Admission
from bot.channels.gateway import Gateway
from bot.dispatch.loop import Dispatcher
from bot.http.keys import Keys
from bot.http.waiting import Waiting
from bot.observability.metrics import Metrics
from bot.observability.shared_counters import SharedCounters
from bot.settings import Settings, SettingsCheck, SettingsError
from bot.store.tx import Store
from bot.usecases import notify
from bot.usecases.heartbeat import JudgedUntil
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
    judged_until: JudgedUntil
    metrics: Metrics
    shared_counters: SharedCounters
    clock: Callable[[], datetime]  # for measuring and signing; the store has its own

    def configure_endpoints(self) -> None:
        """Makes the webhook endpoints of these settings the current ones: for processes that serve
        or dispatch. A command may run in a shell with other settings, or with none of them."""
        self.store.write(
            notify.configure,
            self.settings.webhook_urls,
            includes_number=self.settings.webhook_include_number == "yes",
        )


class LazyService:
    """A service that is built on first use: commands that need no database open none, and
    `flask --help` works with unusable settings."""

    def __init__(
        self, validate: Callable[[], SettingsCheck], build: Callable[[Settings], Service]
    ) -> None:
        self._validate = validate
        self._build = build

    @cached_property
    def settings_check(self) -> SettingsCheck:
        try:
            return self._validate()
        except SettingsError as error:  # the file .env cannot be read
            return SettingsCheck(None, (str(error),), ())

    @property
    def settings(self) -> Settings:
        if self.settings_check.settings is None:
            sys.exit(self.settings_check.message)
        return self.settings_check.settings

    @cached_property
    def service(self) -> Service:
        return self._build(self.settings)


def attach(service: Service, app: Flask) -> None:
    settings_check = SettingsCheck(service.settings, faults=(), warnings=())
    app.extensions[_NAME] = LazyService(lambda: settings_check, lambda _: service)


def attach_lazy(lazy: LazyService, app: Flask) -> None:
    app.extensions[_NAME] = lazy


def of(app: Flask) -> Service:
    """The service of an application that `create_app` or `create_commands` has made. In commands
    settings that cannot be used end the process."""
    return _lazy_service(app).service


def settings_of(app: Flask) -> Settings:
    """The settings alone, without a database; they end the process in the same way."""
    return _lazy_service(app).settings


def settings_check_of(app: Flask) -> SettingsCheck:
    """The settings with their faults and warnings."""
    return _lazy_service(app).settings_check


def _lazy_service(app: Flask) -> LazyService:
    lazy: LazyService = app.extensions[_NAME]
    return lazy
