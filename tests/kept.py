"""Caches what the application of every test needs and what depends on the code alone: the routes
that werkzeug parses and compiles, the templates that Jinja compiles, the languages whose texts fit,
and an empty database file. Each test process has its own cache."""

import importlib.metadata
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule

from bot.settings.texts import TextSettings
from bot.store.sqlite_file import open_file

_compile = Rule.compile
_offered_locales = TextSettings.offered_locales.func
_offered: dict[object, tuple[str, ...]] = {}
_kept: dict[object, dict[str, Any]] = {}
_COMPILED = ("_parts", "_trace", "_converters", "arguments")
_BUILDERS = ("_build", "_build_unknown")


def use() -> None:
    Rule.compile = _compile_once  # type: ignore[method-assign]
    TextSettings.offered_locales = property(_offered_once)  # type: ignore[assignment]
    Flask.jinja_options = {"bytecode_cache": _Templates()}
    # Each server of werkzeug reads its own from a file.
    importlib.metadata.version = cache(importlib.metadata.version)


def new_database(path: Path) -> None:
    """Writes a file as the first start of the service leaves it."""
    path.touch(mode=0o600)
    path.write_bytes(_database())


@cache
def _database() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "new.db"
        opened, _ = open_file(path)
        opened.close()
        return path.read_bytes()


class _Templates(BytecodeCache):
    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key, bucket.checksum] = bucket.code


def _offered_once(settings: TextSettings) -> tuple[str, ...]:
    named = (settings.service_name, settings.challenge_text, settings.default_locale)
    key = (*named, settings.terms, settings.allow_segments)
    if key not in _offered:
        _offered[key] = _offered_locales(settings)
    return _offered[key]


def _compile_once(rule: Rule) -> None:
    if rule.map is None or rule.map.host_matching or rule.subdomain or rule.defaults:
        return _compile(rule)
    key = (rule.rule, rule.merge_slashes, type(rule.map))
    if key not in _kept:
        _compile(rule)
        builders = {name: getattr(rule, name).__func__ for name in _BUILDERS}
        _kept[key] = {name: getattr(rule, name) for name in _COMPILED} | builders
        return None
    for name in _COMPILED:
        setattr(rule, name, _kept[key][name])
    for name in _BUILDERS:
        setattr(rule, name, _kept[key][name].__get__(rule, None))
    return None
