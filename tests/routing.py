"""Every test has an application of its own, and werkzeug parses each of its routes and compiles two
functions for it: two fifths of what a test costs. All of it follows from the rule alone, so it is
kept."""

from typing import Any

from werkzeug.routing import Rule

_compile = Rule.compile
_kept: dict[object, dict[str, Any]] = {}
_COMPILED = ("_parts", "_trace", "_converters", "arguments")
_BUILDERS = ("_build", "_build_unknown")


def keep() -> None:
    Rule.compile = _compile_once  # type: ignore[method-assign]


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
