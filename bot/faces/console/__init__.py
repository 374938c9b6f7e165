"""The operator's pages: what happens, why, and the few things to do about it.

routes.py      the table of pages and buttons
gate.py        who may look; sign_in.py has cookie, CSRF and throttle
pages.py       looking: one method a page
listing.py     the list of verifications: search, filters, CSV and JSON
actions.py     doing: one method a button
remedies.py    what an operator can do about a refusal
rendering.py   how pages are made
filters.py     the filter of a list, read from its address
charts.py      counts as SVG
"""

from flask import Blueprint

from bot.faces.console import routes
from bot.service import Service


def blueprint(service: Service) -> Blueprint:
    """Builds the console; it has no pages without the key of an operator or viewer."""
    if not service.settings.operators:
        return Blueprint("console", __name__)
    return routes.blueprint(service)


def links(service: Service) -> list[str]:
    """Links for the first page, as HTML."""
    if not service.settings.operators:
        return []
    return ['<a href="/console/">The console</a>, for its operators']
