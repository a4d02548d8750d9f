"""Waves of long requests under steady short ones: what does a scheduler do with a pulse?

    locust -f locustfiles/burst.py
    locust -f locustfiles/burst.py --headless -u 10 -r 10 -t 60s --wave 40 --every 15

Every wave arrives at once and is held open for --hold seconds. The page "IPVS"
shows where it lands, and how the short requests get past it.
"""

import gevent
from locust import constant, events
from locust.runners import WorkerRunner

from ipvsload import ShortUser, watch
from ipvsload.swarm.plugin import send_burst

watch()


class Short(ShortUser):
    """Asks, waits a moment, asks again: a new connection each time."""

    wait_time = constant(0.02)


@events.init_command_line_parser.add_listener
def _arguments(parser, **_):
    group = parser.add_argument_group("Waves")
    group.add_argument("--wave", type=int, default=20, help="Long requests in a wave")
    group.add_argument("--hold", type=float, default=5.0, help="Seconds that each is held open")
    group.add_argument("--every", type=float, default=10.0, help="Seconds from wave to wave")


@events.test_start.add_listener
def _start(environment, **_):
    if not isinstance(environment.runner, WorkerRunner):
        environment.waves = gevent.spawn(_waves, environment.parsed_options)


@events.test_stopping.add_listener
def _stop(environment, **_):
    if hasattr(environment, "waves"):
        environment.waves.kill()


def _waves(options):
    while True:
        gevent.sleep(options.every)
        send_burst(options.wave, options.hold)
