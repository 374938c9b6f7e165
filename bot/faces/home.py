"""The home page: describes the service and links to its parts."""

from collections.abc import Sequence

from flask import Blueprint, Response

from bot.http import openapi
from bot.http.openapi import Part

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Textback</title>
<h1>Textback</h1>
<p>This service verifies that a person holds a phone number: it texts a code, and they text it back.
<ul>
<li><a href="/openapi.json">Its HTTP interface</a>
<li><a href="/healthz">Whether it is alive</a>, <a href="/readyz">whether it is ready</a>
{links}</ul>
</html>
"""


def blueprint(links: Sequence[str]) -> Blueprint:
    """`links`: HTML links to the faces that have pages for people."""
    routes = Blueprint("home", __name__)
    page = _PAGE.format(links="".join(f"<li>{link}\n" for link in links))

    def home() -> Response:
        return Response(page, content_type="text/html; charset=utf-8")

    routes.add_url_rule("/", view_func=home)
    return routes


def part() -> Part:
    answers = openapi.operation(
        "getHome", "What this is", {200: openapi.Body("HomePage", "text/html")}, security=[]
    )
    return Part(paths={"/": {"get": answers}}, schemas={"HomePage": {"type": "string"}})
