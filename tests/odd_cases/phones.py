"""A second phone."""

OTHER = "+14255550177"
