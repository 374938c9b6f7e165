"""Why connections are closed on their clients: the label of a metric, and the log's words."""

from enum import StrEnum


class Cut(StrEnum):
    HEAD = "head"  # its head took too long
    BODY = "body"  # its body took too long
    LONG = "long"  # its body took too many bytes
    ANSWER = "answer"  # it did not read its answer
    CROWDED = "crowded"  # it waited, or sent slowly, when there were too many or they held too much
    REFUSED = "refused"  # there were too many, and all were busy
    ADDRESS = "address"  # there were too many of its address
    STOPPING = "stopping"  # its request was not whole, or not answered, when the process stopped
