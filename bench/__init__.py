"""Benchmarks: `make bench`. Compare ratios within one run; absolute numbers depend on the machine.

service.py   gunicorn with the Procfile's settings, a simulator, pending verifications
load.py      a separate program that sends prepared requests and measures each response time
bare.py      the bare form route that Textback is compared with
console.py   response times of the console with millions of verifications
webhooks.py  delivery times of outcome webhooks
chart.py     the rates as bars
cost.py      what a verification costs in rows, bytes and transactions
__main__.py  the scenarios, and the table
"""
