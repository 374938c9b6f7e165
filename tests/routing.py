"""Every test has an application of its own, and werkzeug compiles two functions for each of its
routes: two fifths of what a test costs. They follow from the rule alone, so they are kept."""

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule

_compile = Rule._compile_builder
_kept: dict[object, Callable[..., Any]] = {}


def keep() -> None:
    Rule._compile_builder = _compile_once  # type: ignore[method-assign]


def _compile_once(rule: Rule, append_unknown: bool = True) -> Callable[..., Any]:
    if rule.defaults:  # they are built into the function
        return _compile(rule, append_unknown)
    key = (rule.rule, tuple(rule._trace), append_unknown)
    if key not in _kept:
        _kept[key] = _compile(rule, append_unknown)
    return _kept[key]
