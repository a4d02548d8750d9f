"""Why a connection went where it went, in words: what the servers had, and what the rule says.

Pure: from decisions and what was set to texts. `terminal_decisions.py` prints them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from math import inf

from ipvsload.ipvs.schedulers import SCHEDULERS, Choice
from ipvsload.ipvs_model.director_model import ServiceSettings
from ipvsload.ipvs_model.schedulers import RULES
from ipvsload.ipvs_model.schedulers.base import Client, RuleSettings
from ipvsload.replay.decision import Decision, ServerState
from ipvsload.report.wording import figure, plural
from ipvsload.results.mismatches import score_words, working


@dataclass(frozen=True, slots=True)
class DecidingRun:
    """What a reader must know of a run to follow its decisions.

    `zero_us` is when its first step began, and `numbers` has the servers' numbers in the order of
    joining, by address. `service` is what the model was told of the service; with a `witness`
    packets gave the order of events. `simulated`: no kernel chose, but the model itself.
    """

    number: int
    label: str
    service: ServiceSettings
    zero_us: int
    numbers: Mapping[str, int]
    witness: bool = True
    simulated: bool = False

    @property
    def scheduler(self) -> str:
        """The name of the rule."""
        return self.service.scheduler

    @property
    def rule(self) -> str:
        """The scheduler's rule, and where the kernel has it."""
        known = SCHEDULERS.get(self.scheduler)
        return known.rule if known else ""

    @property
    def choice(self) -> Choice | None:
        """What the scheduler chooses by."""
        known = SCHEDULERS.get(self.scheduler)
        return known.choice if known else None

    def seconds(self, decision: Decision) -> float:
        """When it was, since the first step began."""
        return (decision.t_us - self.zero_us) / 1e6

    def name(self, address: str | None) -> str:
        """The server as reports name it."""
        if address is None:
            return "no server"
        return f"server {self.numbers[address]}" if address in self.numbers else address

    def working(self, server: ServerState) -> str:
        """The server's score, as it is worked out: "256·3 + 12 = 780"; "" without one."""
        return working(server, self.scheduler, self.service.lc_law)


@dataclass(slots=True)
class Before:
    """What came before a decision and can be why it fell so."""

    last: dict[int, Decision] = field(default_factory=dict)
    """The one before it, by director."""
    of_client: dict[tuple[int, str], Decision] = field(default_factory=dict)
    """The last one of the same client, by director and as much of the address as counts."""

    def note(self, decision: Decision, run: DecidingRun) -> None:
        """This one was."""
        self.last[decision.director] = decision
        if run.service.persistence:
            self.of_client[
                decision.director, client_network(decision.client, run.service.netmask)
            ] = decision


def client_network(client: str, netmask: int | None) -> str:
    """As much of a client's address as counts for persistence."""
    if netmask is None or netmask >= ip_address(client).max_prefixlen:
        return client
    return str(ip_network((client, netmask), strict=False))


def why(decision: Decision, run: DecidingRun, before: Before) -> list[str]:
    """Sentences that say why this server, by the rule."""
    told = _remembered(decision, run, before)
    if told:
        return [told]
    choices = {
        "load": _least,
        "idle": _least,
        "turns": _turn,
        "weight": _weight,
        "client": _hash,
        "destination": _destination,
    }
    explain = choices.get(run.choice or "")
    return explain(decision, run, before) if explain else []


def verdict_words(decision: Decision, run: DecidingRun) -> str:
    """What the kernel chose, what the model chooses, and whether that is the same."""
    who = "simulation" if run.simulated else "kernel"
    kernel = f"The {who} chose {run.name(decision.chosen)}"
    model = run.name(decision.predicted)
    match decision.verdict:
        case "matched":
            return f"{kernel}, and so does the model: matched."
        case "consistent":
            return (
                f"{kernel}. So does the model in another order of events, whose times cannot tell"
                " which was first: consistent."
            )
        case "mismatched":
            return (
                f"{kernel}, and the model chooses {model}: mismatched. That is a fault of ipvsload"
                " or of the kernel."
            )
        case _:
            return (
                f"{kernel}, and the model chooses {model}. No order of events that their times"
                " allow explains it: unexplained."
            )


def _remembered(decision: Decision, run: DecidingRun, before: Before) -> str:
    if decision.by_rule:
        return ""
    own = run.service
    if not own.persistence:
        return (
            f"The director still remembered an earlier connection of port {decision.port}, and its"
            " server. The rule was not asked."
        )
    network = client_network(decision.client, own.netmask)
    first = before.of_client.get((decision.director, network))
    which = f"connection {first.index + 1} of {network}" if first else f"one of {network}"
    return (
        f"The service is persistent for {own.persistence} s: {which} was before it, and"
        f" {run.name(decision.predicted)} is in the client's template. The rule was not asked."
    )


def _least(decision: Decision, run: DecidingRun, before: Before) -> list[str]:
    scores = {one.address: one.score for one in decision.servers if one.score is not None}
    least = min(scores.values(), default=inf)
    if least == inf:
        return ["No server has a weight: none can be chosen."]
    first = [run.name(address) for address, score in scores.items() if score == least]
    if len(first) == 1:
        return [f"{first[0].capitalize()} has the least score, {score_words(least)}."]
    return [
        f"{listed(first).capitalize()} have the least score, {score_words(least)}. Of equals the"
        f" one that was added last wins: {first[-1]}."
    ]


def _turn(decision: Decision, run: DecidingRun, before: Before) -> list[str]:
    weights = {one.weight for one in decision.servers if one.weight}
    last = before.last.get(decision.director)
    if last is None:
        return ["It is the first connection: turns begin at the head of the kernel's list, which is"
                " the server that was added last."]  # fmt: skip
    said = f"Connection {last.index + 1} before it went to {run.name(last.chosen)}."
    if len(weights) > 1:
        return [f"{said} Heavier servers take part in more of the turns."]
    return [f"{said} The turn goes on through the kernel's list, from the server that was added"
            " last to the first one."]  # fmt: skip


def _weight(decision: Decision, run: DecidingRun, before: Before) -> list[str]:
    if not decision.servers or decision.chosen is None:
        return ["No server takes a connection by this rule."]
    chosen = next((one for one in decision.servers if one.address == decision.chosen), None)
    if chosen is None:
        return []
    return [f"{run.name(chosen.address).capitalize()} has weight {chosen.weight} and"
            f" {plural(chosen.active, 'active connection')}."]  # fmt: skip


def _hash(decision: Decision, run: DecidingRun, before: Before) -> list[str]:
    client = Client(decision.client, decision.port)
    own = run.service
    settings = RuleSettings(own.destination, own.flags, own.lc_law)
    bucket = RULES[own.scheduler].bucket(client, settings)
    of_port = any(flag.endswith("-port") for flag in own.flags)
    hashed = f"{client.address} port {client.port}" if of_port else client.address
    where = "place {} of the table's {}, from 0".format(*bucket) if bucket else "a place"
    return [
        f"The hash of {hashed} falls on {where}, which leads to {run.name(decision.predicted)}."
        " Connections do not count."
    ]


def _destination(decision: Decision, run: DecidingRun, before: Before) -> list[str]:
    last = before.last.get(decision.director)
    if last is None:
        return ["It is the first connection to this destination."]
    return [f"Connection {last.index + 1} to the same destination went to {run.name(last.chosen)}."]


def listed(names: Sequence[str]) -> str:
    """Names as in a sentence: "server 1, server 2 and server 3"; of many, some."""
    if len(names) > 6:
        return f"{', '.join(names[:5])} and {len(names) - 5} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def count_words(verdicts: Mapping[str, int], total: int) -> str:
    """How many decisions have which verdict: "matched 108 of 110, mismatched 2"."""
    told = [f"matched {figure(verdicts.get('matched', 0))} of {figure(total)}"]
    told += [
        f"{one} {figure(count)}" for one, count in verdicts.items() if count and one != "matched"
    ]
    return ", ".join(told)
