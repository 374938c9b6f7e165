"""Expects that a limit refuses a start, and tells which."""


def refused(response) -> dict:
    assert response.status_code == 429, response.text
    body = response.json()
    assert body["code"] == "limit_reached"
    assert int(response.headers["Retry-After"]) > 0
    return {"limit": body["limit"], "after": int(response.headers["Retry-After"])}
