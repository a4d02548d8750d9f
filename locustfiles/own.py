r"""Your own users, with the kernel's table beside them: two lines make the difference.

    locust -f locustfiles/own.py -H http://your-balancer \
        --sidecar 'ssh director sudo ipvsload collect'

Locust's own HTTP users are not in a lab unless Locust is (all on one machine):

    ipvsload lab -- locust -f locustfiles/own.py -H '$URL' --headless -u 10 -t 30s \
        --sidecar 'ipvsload lab exec -- ipvsload collect'
"""

from locust import HttpUser, between, task

from ipvsload import LongUser, watch

watch()  # arguments, the page "IPVS", /metrics, samples


class Visitor(HttpUser):
    """Whatever you have; it stays as it is."""

    wait_time = between(0.1, 0.3)
    weight = 4

    @task
    def look(self) -> None:
        """One small request."""
        self.client.get("/get?page=1", name="/get")


class Download(LongUser):
    """Requests that are held open: each pins a connection to a real server."""

    path = "/delay/2"
