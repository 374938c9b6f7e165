"""Sends an order, such as suspend, to one instance."""

from tests.harness import INSTANCES, Harness


def order(harness: Harness, id: str, what: str, **more) -> int:
    response = harness.call("POST", f"{INSTANCES}/{id}/{what}", **more)
    assert response.content == b"" or response.status_code in (202, 400, 409)
    return response.status_code
