"""`ipvsload lab`: a lab for any other program."""

import os
import re
import signal
import sys
import sysconfig

import click

from ipvsload.cli.terminal import tell
from ipvsload.cli.testbeds import as_click
from ipvsload.errors import TestbedError, UsageError
from ipvsload.ipvs.keys import join_endpoint
from ipvsload.scenario.balancers import BALANCERS
from ipvsload.scenario.names import MAX_CLIENTS, MAX_DIRECTORS, MAX_SERVERS
from ipvsload.testbed.lab.addresses import IPV4, PLANS
from ipvsload.testbed.lab.lab_kind import KERNEL

DIRECTOR = "IPVSLOAD_DIRECTOR"
"""Set inside a lab: where the directors' agent answers."""
DIRECTORS = "IPVSLOAD_DIRECTORS"
"""And how many directors there are."""
_VARIABLE = re.compile(r"\$(URL|VIP)\b|\$\{(URL|VIP)\}")


@click.command(context_settings={"allow_interspersed_args": False})
@click.option("--scheduler", default="rr", show_default=True, type=click.Choice(list(BALANCERS)))
@click.option("--servers", default=2, show_default=True, type=click.IntRange(1, MAX_SERVERS))
@click.option("--clients", default=1, show_default=True, type=click.IntRange(1, MAX_CLIENTS))
@click.option("--directors", default=1, show_default=True, type=click.IntRange(1, MAX_DIRECTORS))
@click.option("--family", default=IPV4, show_default=True, type=click.Choice(list(PLANS)))
@as_click(KERNEL)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def lab(
    scheduler: str,
    servers: int,
    clients: int,
    directors: int,
    family: str,
    kernel: str,
    command: tuple[str, ...],
) -> int:
    """Bring the lab up, run COMMAND in its client namespace, take it down.

    \b
    URL (http://VIP:PORT) and VIP are set for COMMAND, and replaced in its
    arguments:
        ipvsload lab -- ab -c 10 -n 100 '$URL/ip'
    From inside, `ipvsload lab exec -- COMMAND` runs one beside the table:
        ipvsload lab -- sh -c 'curl -s $URL/ip; ipvsload lab exec -- ipvsadm -ln'
    Of several directors it is the first one, or the one that is said:
        ipvsload lab exec --director 2 -- ipvsadm -ln
    The exit status is COMMAND's.
    """
    if command[0] == "exec":
        status: int = _exec.main(command[1:], "ipvsload lab exec", standalone_mode=False)
        return status

    from ipvsload.testbed.base import ServiceSpec
    from ipvsload.testbed.lab.lab_testbed import LabTestbed
    from ipvsload.testbed.lab.topology import (
        CONTROL_PORT,
        FIRST_SERVICE_PORT,
        Topology,
        director,
    )

    topology = Topology(servers, clients, directors, family=family)
    url = f"http://{join_endpoint(topology.vip, FIRST_SERVICE_PORT)}"
    values = {"URL": url, "VIP": topology.vip}
    environment = {
        **os.environ,
        **values,
        DIRECTOR: f"{director(1).client_side}:{CONTROL_PORT}",
        DIRECTORS: str(directors),
        # COMMAND finds `ipvsload`, also where its environment is not activated.
        "PATH": f"{os.environ.get('PATH', os.defpath)}:{sysconfig.get_path('scripts')}",
    }
    argv = [_VARIABLE.sub(lambda found: values[found[1] or found[2]], word) for word in command]
    testbed = LabTestbed(topology, kernel=kernel, schedulers=[scheduler])
    try:
        tell(f"bringing the lab up: {scheduler} over {servers} real servers ...")
        testbed.start()
        testbed.wait_ready()
        if not BALANCERS[scheduler].in_ipvs_table:
            for why in testbed.missing_balancers([scheduler]).values():
                raise TestbedError(why)
        testbed.begin(ServiceSpec(scheduler, (1,) * servers))
        tell(f"ready: Linux {testbed.kernel['release']} ({testbed.kernel['provider']})")
        if sys.stdin and sys.stdin.isatty():
            # A terminal's Ctrl-C reaches COMMAND too, and COMMAND decides what it does.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGQUIT, signal.SIG_IGN)
        return testbed.lab.run(argv, environment)
    finally:
        testbed.close()


@click.command(context_settings={"allow_interspersed_args": False})
@click.option("--director", default=1, show_default=True, type=click.IntRange(1, MAX_DIRECTORS))
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def _exec(director: int, command: tuple[str, ...]) -> int:
    """Run COMMAND in a director of the lab around, beside its table."""
    if not command:
        raise UsageError("lab exec needs a command: ipvsload lab exec -- ipvsadm -ln")
    if DIRECTOR not in os.environ:
        raise UsageError(
            "lab exec works from inside a lab: ipvsload lab -- sh -c 'ipvsload lab exec -- "
            "ipvsadm -ln'"
        )
    if director > int(os.environ[DIRECTORS]):
        raise UsageError(f"--director {director}: this lab has {os.environ[DIRECTORS]}")
    from ipvsload.testbed.lab.director_client import run_beside_table

    return run_beside_table(command, director)
