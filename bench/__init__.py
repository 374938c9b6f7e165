"""How fast Textback is: `make bench`. Ratios within one run count, not the numbers of a machine.

service.py   gunicorn with the Procfile's settings, a simulator, pending verifications
load.py      a program of its own that sends prepared requests and takes the time
wsgi.py      Textback, and beside it the plain form route it is compared with
chart.py     the rates as bars
cost.py      what a verification costs in rows, bytes and transactions
__main__.py  the scenarios, and the table
"""
