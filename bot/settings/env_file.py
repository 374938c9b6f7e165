"""The file .env of the working directory: read whole, or refused."""

import io
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream


class UnreadableFile(Exception):
    """Says which file, and the line at fault; never a value."""


def variables(path: Path) -> dict[str, str]:
    """Returns the variables of a file, none if there is no file. Raises UnreadableFile: if an
    unreadable line were skipped, its setting would silently keep its default."""
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
    wrong = next((one.original for one in parse_stream(io.StringIO(text)) if one.error), None)
    if wrong is not None:
        blank = wrong.string[: -len(wrong.string.lstrip())]  # lines before it
        number = wrong.line + blank.count("\n")
        raise UnreadableFile(
            f"{path}: line {number} cannot be read. It should be NAME=value, and a value that"
            " begins with a quote must end with it."
        )
    found = dotenv_values(stream=io.StringIO(text))
    return {name: value or "" for name, value in found.items()}
