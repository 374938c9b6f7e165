"""Placeholders of links and templates, sent in place of a value.

Links that callers get hold some, such as {text}; curl, Postman, shells and other templates leave
theirs if a variable is not set.
"""

import re
import unicodedata
from html import unescape
from urllib.parse import unquote

LONGEST = 200  # characters

_NAMES = r"(?:text|reason|name|event_?name|instance_?id|id|key|tag|uuid|guid|random)"
_IDENTIFIER = r"[$@]?[a-z_][\w.]*"
_GUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
# A variable in braces, perhaps with a format; and our own names in other marks. An id or a tag may
# consist of anything else: .NET writes {GUID}, and mail <message>.
_VARIABLE = rf"""
    [$\#@]?\{{+\s*(?!{_GUID}){_IDENTIFIER}\s*(?:[:?!|][^{{}}"]*)?\}}+
    | <{_NAMES}> | \[{_NAMES}\] | :{_NAMES} | %\({_NAMES}\)s | \$\([\w .-]+\)
"""
# In prose, whatever else tools use: {{0}} <any words> $name $(name) %NAME% %s %{name} <%= name %>
# {% name %} [[name]] __NAME__
_IN_PROSE = rf"""
    {_VARIABLE}
    | \$?\{{+(?!{_GUID})[\w .-]+\}}+ | <[\w .-]+> | \${_IDENTIFIER}
    | %[a-z_]+% | %(?:\(\w+\))?[sd] | %\{{[\w .-]+\}}
    | <%[^%<>]*%> | \{{%[^%{{}}]*%\}} | \[\[[\w .-]+\]\] | __[a-z]+(?:_[a-z]+)*__
"""
# A shell that was not asked to fill in a variable leaves its quotes too: '{text}'.
_QUOTED = re.compile(r"""(['"`])(.*)\1|\((.*)\)""")
_FLAGS = re.VERBOSE | re.IGNORECASE
_VALUE = re.compile(rf"\s*(?:(?:{_VARIABLE})\s*)+", _FLAGS)
_PROSE = re.compile(rf"\s*(?:(?:{_IN_PROSE})\s*)+", _FLAGS)


def is_placeholder(text: str, *, in_prose: bool = False) -> bool:
    r"""Whether a value consists of placeholders and nothing else, encoded once more (for a URL or
    for HTML) or not.

    >>> is_placeholder("{text}"), is_placeholder("%7Btext%7D"), is_placeholder("{{ $json.text }}")
    (True, True, True)
    >>> is_placeholder("'{text}'"), is_placeholder(r"\{text\}")
    (True, True)
    >>> is_placeholder("(none)", in_prose=True)
    False
    >>> is_placeholder('{"user": 5}'), is_placeholder("<order-17>"), is_placeholder("{5f3a}")
    (False, False, False)
    >>> is_placeholder("<any reason>", in_prose=True), is_placeholder("$5 short", in_prose=True)
    (True, False)
    """
    if not text or len(text) > LONGEST:
        return False
    if quoted := _QUOTED.fullmatch(text.strip()):
        text = quoted[2] or quoted[3] or ""
    text = text.replace("\\{", "{").replace("\\}", "}")  # escaped for a shell
    pattern = _PROSE if in_prose else _VALUE
    tried = (unicodedata.normalize("NFKC", one) for one in (text, unquote(text), unescape(text)))
    return any(map(pattern.fullmatch, tried))
