"""The file .env of the working directory: read whole, or refused."""

import io
import re
from collections.abc import Collection
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import Binding, parse_stream

# ${NAME} and ${NAME:-default}, as python-dotenv replaces them.
_REFERENCE = re.compile(r"\$\{([^}:]*)(:-[^}]*)?\}")


class UnreadableFile(Exception):
    """Says which file, and the line at fault; never a value."""


def variables(path: Path, *, known: Collection[str] = ()) -> dict[str, str]:
    """Returns the variables of a file, none if there is no file. `known`: further ones that its
    values may refer to. Raises UnreadableFile: if an unreadable line were skipped, its setting
    would silently keep its default."""
    try:
        text = path.read_text("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UnreadableFile(f"{path} cannot be read: it is not UTF-8.") from None
    if "\0" in text:
        raise UnreadableFile(f"{path} cannot be read: it holds a NUL character.")
    lines = list(parse_stream(io.StringIO(text)))
    # Its own are known from their line on, though `flask` has put all of them into the environment.
    names = set(known) - {one.key for one in lines}
    for one in lines:
        fault = _fault(one, names)
        if fault:
            raise UnreadableFile(f"{path}: line {_line_of(one)} {fault}")
        names.add(one.key or "")
    found = dotenv_values(stream=io.StringIO(text))
    return {name: value or "" for name, value in found.items()}


def _fault(one: Binding, known: set[str]) -> str | None:
    """`known`: the variables that a value may refer to."""
    if one.error or (one.key is not None and one.value is None):
        return (
            "cannot be read. It should be NAME=value, and a value that begins with a quote must"
            " end with it."
        )
    references = _REFERENCE.findall(one.value or "")
    if any(not default and name not in known for name, default in references):
        return (
            "refers to a variable by ${…} that is not set, so a part of the value would be empty."
        )
    return None


def _line_of(one: Binding) -> int:
    text = one.original.string
    blank = text[: len(text) - len(text.lstrip())]  # lines before it
    return one.original.line + blank.count("\n")
