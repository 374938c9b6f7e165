"""The operator's pages: what happens, why, and the few things to do about it.

sign_in.py   who may look: cookie, CSRF, throttle
routes.py    the pages and their buttons
why.py       history and outcome in plain words
charts.py    figures as SVG
"""
