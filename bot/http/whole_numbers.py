"""Whole numbers as a client writes them."""

MOST_DIGITS = 9


def whole_number(text: str) -> int | None:
    """The number; None if the text is anything but ASCII digits, or too long.

    >>> whole_number("20"), whole_number("-1"), whole_number("٢"), whole_number("1" * 10)
    (20, None, None, None)
    """
    is_number = text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS
    return int(text) if is_number else None
