"""Waves of long requests under steady short ones, as scenarios/burst.yaml has them.

    locust -f locustfiles/burst.py
    locust -f locustfiles/burst.py --headless --scheduler lc

More waves, of any size and at any time, are a button of the page "IPVS".
"""

from pathlib import Path

from ipvsload import ScenarioShape, scenario_users, watch

SCENARIO = Path(__file__).parents[1] / "scenarios" / "burst.yaml"

watch(SCENARIO)
globals().update(scenario_users(SCENARIO))


class Burst(ScenarioShape):
    """Plays the scenario."""

    scenario = SCENARIO
