"""Brings the catalogues up to date with the sentences, by Babel: `make languages`.

`python -m tests.languages sk` begins one. Lines that Babel would add to a
file (dates, addresses, flags) are left out, so that a change shows what was changed.
"""

import sys
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import normalize, read_po

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "bot" / "wording"
FOLDER = SOURCE / "catalogues"
COMMENT = "Not reviewed by a native speaker: docs/languages.md tells how to correct it."
HEADER = """# {name}. {comment}
msgid ""
msgstr ""
"Language: {tag}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"""


def template() -> Catalog:
    """The sentences that are marked by N_."""
    found = Catalog()
    for _, _, sentence, *_ in extract_from_dir(SOURCE, keywords={"N_": None}):
        found.add(sentence)
    return found


def write(path: Path, catalogue: Catalog) -> list[str]:
    """Returns the sentences that are not translated yet."""
    tag = path.stem
    first = path.read_text("utf-8").splitlines()[:1] if path.exists() else []
    name = Locale.parse(tag, sep="-").english_name
    head = HEADER.format(name=name, comment=COMMENT, tag=tag)
    if first and first[0].startswith("#"):  # somebody may have said that it was reviewed
        head = "\n".join([first[0], *head.splitlines()[1:]]) + "\n"
    entries = [
        f"msgid {normalize(message.id, width=0)}\nmsgstr {normalize(said, width=0)}\n"
        for message, said in ((one, one.string or "") for one in catalogue)
        if message.id
    ]
    path.write_text("\n".join([head, *entries]), "utf-8")
    return [message.id for message in catalogue if message.id and not message.string]


def update(path: Path) -> list[str]:
    catalogue = Catalog(locale=path.stem.replace("-", "_"))
    if path.exists():
        with path.open("rb") as file:
            catalogue = read_po(file, locale=path.stem.replace("-", "_"))
    catalogue.update(template(), no_fuzzy_matching=True)
    return write(path, catalogue)


def path_of(tag: str) -> Path:
    """The catalogue of a tag in any spelling: PT_br is pt-BR."""
    return FOLDER / f"{str(Locale.parse(tag.replace('_', '-'), sep='-')).replace('_', '-')}.po"


def main() -> int:
    paths = [path_of(tag) for tag in sys.argv[1:]] or sorted(FOLDER.glob("*.po"))
    is_complete = True
    for path in paths:
        for sentence in update(path):
            is_complete = False
            print(f"{path.name}: to be translated: {sentence}")
    return 0 if is_complete or sys.argv[1:] else 1


if __name__ == "__main__":
    sys.exit(main())
