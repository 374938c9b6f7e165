"""Phone numbers as people write them at home, and in the form that Textback takes."""

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

# Where this business has customers. Textback's ALLOWED_COUNTRIES has the last word.
COUNTRIES = {
    "AU": "Australia",
    "AT": "Austria",
    "BE": "Belgium",
    "BR": "Brazil",
    "CA": "Canada",
    "DK": "Denmark",
    "FI": "Finland",
    "FR": "France",
    "DE": "Germany",
    "IN": "India",
    "IE": "Ireland",
    "IT": "Italy",
    "JP": "Japan",
    "MX": "Mexico",
    "NL": "Netherlands",
    "NZ": "New Zealand",
    "NO": "Norway",
    "PL": "Poland",
    "PT": "Portugal",
    "ES": "Spain",
    "SE": "Sweden",
    "CH": "Switzerland",
    "GB": "United Kingdom",
    "US": "United States",
}


def international(text: str, country: str) -> str | None:
    """Reads a number in the national spelling of the country, or in any with a plus. Returns it in
    E.164, or None if it cannot be a number. Whether a number is in use is not judged here: tables
    of that are always behind.

    >>> international("(425) 555-0123", "US"), international("0171 555 01 23", "DE")
    ('+14255550123', '+491715550123')
    >>> international("+44 7700 900123", "US"), international("12", "US")
    ('+447700900123', None)
    """
    try:
        number = phonenumbers.parse(text, country)
    except NumberParseException:
        return None
    if number.extension or not phonenumbers.is_possible_number(number):
        return None
    return str(phonenumbers.format_number(number, PhoneNumberFormat.E164))


def readable(number: str) -> str:
    """
    >>> readable("+14255550123")
    '+1 425-555-0123'
    """
    parsed = phonenumbers.parse(number)
    return str(phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL))


def choices() -> list[tuple[str, str]]:
    """The entries of the picker: two letters, and the name with its calling code."""
    return [
        (country, f"{name} (+{phonenumbers.country_code_for_region(country)})")
        for country, name in COUNTRIES.items()
    ]
