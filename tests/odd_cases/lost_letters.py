"""Texts as a phone sends them that lacks some of their letters."""


def questioned(text: str) -> str:
    return "".join(letter if letter.isascii() else "?" for letter in text)
