"""A steady mix of long and short requests, to be moved while it runs.

    locust -f locustfiles/mixed.py
    locust -f locustfiles/mixed.py --headless -u 20 -r 5 -t 30s --scheduler lc

Locust says how many users there are; the page "IPVS" moves the mix of the two
classes, weights, schedulers and servers, and shows what the kernel makes of it.
"""

from locust import constant

from ipvsload import LongUser, ShortUser, watch

watch()


class Long(LongUser):
    """Holds a connection open for two seconds, again and again."""

    weight = 1
    path = "/delay/2"


class Short(ShortUser):
    """Asks, waits a moment, asks again: a new connection each time."""

    weight = 4
    wait_time = constant(0.05)
