"""The bound on the number of a form's fields, checked before the form is parsed: a request that is
not authenticated yet must not be expensive."""

# Twilio posts about thirty fields, and twenty more with ten media files. Checking a signature sorts
# them.
MOST_FIELDS = 100


def has_few_fields(body: bytes) -> bool:
    """Whether an encoded form has at most MOST_FIELDS fields."""
    return body.count(b"&") < MOST_FIELDS
