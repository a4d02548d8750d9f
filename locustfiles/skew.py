"""The experiment of scenarios/skew.yaml under Locust's command and page.

    locust -f locustfiles/skew.py
    locust -f locustfiles/skew.py --headless --scheduler lc

The timeline is the scenario's: ten long requests pin the first real server, a
second one joins, a hundred short ones arrive. Any other scenario is played with
--scenario, and the exit status says whether its expectations held.
"""

from pathlib import Path

from ipvsload import ScenarioShape, scenario_users, watch

SCENARIO = Path(__file__).parents[1] / "scenarios" / "skew.yaml"

watch(SCENARIO)
globals().update(scenario_users(SCENARIO))


class Skew(ScenarioShape):
    """Plays the scenario."""

    scenario = SCENARIO
