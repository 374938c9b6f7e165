"""Benchmarks: `make bench`. Compare ratios within one run; absolute numbers depend on the machine.

service.py   gunicorn with the Procfile's settings, a simulator, pending verifications
where.py     where a scenario runs
comparison.py  rates beside those of the bare route, and the table
rates.py     replies, status reads, starts and sends
scale.py     many pending verifications, and the first start after a restart
load.py      a separate program that sends prepared requests and measures each response time
bare.py      the bare form route that Textback is compared with
console.py   response times of the console with millions of verifications
webhooks.py  delivery times of outcome webhooks
chart.py     the rates as bars
cost.py      what a verification costs in rows, bytes and transactions
__main__.py  which scenarios run
"""
