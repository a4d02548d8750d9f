"""One entry under `schedulers`: a balancer, and what is set besides it.

Each entry is one column of the comparison. Its label names it everywhere: in
expectations, on command lines, in records and in reports.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)

from ipvsload.ipvs.schedulers import SCHEDULERS
from ipvsload.ipvs.sysctls import FIXED_SYSCTLS, SETTABLE_SYSCTLS
from ipvsload.scenario.balancer_settings import BalancerSettings
from ipvsload.scenario.balancers import BALANCERS
from ipvsload.scenario.capabilities import Capability
from ipvsload.scenario.duration import WHOLE_SECONDS_SCHEMA, whole_seconds
from ipvsload.scenario.faults import refused, unexpected
from ipvsload.scenario.names import (
    LABEL_PATTERN,
    MAX_LABEL,
    OTHER_SECTIONS,
    BalancerName,
    ForwardingName,
)
from ipvsload.scenario.strict import Strict
from ipvsload.scenario.words import hint, listed, number, quoted

OPS = "ops"
_ALL_FLAGS = tuple(name for one in SCHEDULERS.values() for name, _ in one.flags)
_TIMEOUTS = {"tcp": "tcp", "tcpfin": "tcp_fin"}
"""ipvsadm's words (`--set`), and those of records."""

WholeSeconds = Annotated[int, PlainValidator(whole_seconds), WithJsonSchema(WHOLE_SECONDS_SCHEMA)]
"""Seconds, 1 to 24 h: the kernel counts no parts of them."""
Label = Annotated[str, Field(pattern=LABEL_PATTERN)]


def _known_sysctls(values: dict[str, int]) -> dict[str, int]:
    for name, value in values.items():
        if name in FIXED_SYSCTLS:
            raise refused(name, f"'{name}' cannot be set for a run: {FIXED_SYSCTLS[name]}")
        if name not in SETTABLE_SYSCTLS:
            near = hint(name, SETTABLE_SYSCTLS, "sysctls")
            raise refused(name, f"unknown sysctl {quoted(name)}; {near}")
        most = SETTABLE_SYSCTLS[name]
        if not 0 <= value <= most:
            raise refused(name, f"'{name}' is a number from 0 to {most}, found {value}")
    return values


class Timeouts(Strict, use_attribute_docstrings=True):
    """How long IPVS remembers a silent connection; `ipvsadm --set` sets the same."""

    tcp: WholeSeconds | None = None
    """One that is established. A kernel has 900 s by default."""
    tcpfin: WholeSeconds | None = None
    """One of which the client has sent its end (FIN_WAIT). A kernel has 120 s by default."""

    def in_seconds(self) -> dict[str, int]:
        """Those that are set, by the names of records."""
        found = {theirs: getattr(self, ours) for ours, theirs in _TIMEOUTS.items()}
        return {name: seconds for name, seconds in found.items() if seconds is not None}


class Variant(Strict, use_attribute_docstrings=True):
    """A scheduler (or iptables, or nftables), and what is set besides it."""

    scheduler: BalancerName
    """What balances."""
    flags: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """The scheduler's: sh-port and sh-fallback, mh-port and mh-fallback."""
    persistence: WholeSeconds | None = None
    """A client keeps its server for this time after its last connection."""
    netmask: Annotated[int, Field(ge=1, le=128)] | None = None
    """With persistence: so many leading bits of its address make a client (default: all).
    IPv4 has 32 of them, IPv6 128."""
    sysctls: Annotated[
        dict[str, int],
        AfterValidator(_known_sysctls),
        WithJsonSchema(
            {
                "type": "object",
                "properties": {
                    name: {"type": "integer", "minimum": 0, "maximum": most}
                    for name, most in SETTABLE_SYSCTLS.items()
                },
                "additionalProperties": False,
            }
        ),
    ] = Field(default={})
    """Those of /proc/sys/net/ipv4/vs, set on the director for the time of a run."""
    timeouts: Timeouts = Timeouts()
    """IPVS's timeouts, set on the director for the time of a run."""
    forwarding: ForwardingName | None = None
    """How packets reach the real servers, where it is not as under `service`."""
    # Last, because it is made of the others.
    label: Label = Field(default_factory=lambda told: made_label(told))
    """Its name everywhere; made of the other keys where it is not given."""

    @property
    def settings(self) -> BalancerSettings:
        """What is to be set, as testbeds take it."""
        return BalancerSettings(
            flags=self.flags,
            persistence=self.persistence or 0,
            netmask=self.netmask,
            sysctls=self.sysctls,
            timeouts=self.timeouts.in_seconds(),
        )

    def forwarding_in(self, service: str) -> str:
        """How packets reach its real servers where `service` says so for all."""
        return self.forwarding or service

    def needs(self) -> Iterator[tuple[Capability, str]]:
        """Each capability that it needs of a testbed, with the words that need it."""
        if self.flags:
            yield "flags", f"flags: [{', '.join(self.flags)}]"
        if self.persistence is not None:
            yield "persistence", f"persistence: {self.persistence}s"
        if self.netmask is not None:
            yield "netmask", f"netmask: {self.netmask}"
        if self.sysctls:
            told = ", ".join(f"{name}: {value}" for name, value in self.sysctls.items())
            yield "sysctls", f"sysctls: {{{told}}}"
        if timeouts := self.timeouts.in_seconds():
            told = ", ".join(
                f"{ours}: {timeouts[name]}s" for ours, name in _TIMEOUTS.items() if name in timeouts
            )
            yield "timeouts", f"timeouts: {{{told}}}"

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        known = [name for name, _ in getattr(SCHEDULERS.get(self.scheduler), "flags", ())]
        for place, flag in enumerate(self.flags):
            if fault := _flag_fault(self.scheduler, flag, known):
                raise refused("flags", fault, place)
            if flag in self.flags[:place]:
                raise refused("flags", f"'{flag}' is listed twice; take one away", place)
        if self.netmask is not None and self.persistence is None:
            raise refused("netmask", "'netmask' says whose server is kept: it needs 'persistence'")
        if self.scheduler not in SCHEDULERS and self.forwarding is not None:
            raise refused(
                "forwarding", f"'forwarding' is of IPVS: {self.scheduler} always translates"
            )
        if self.scheduler not in SCHEDULERS and self.settings:
            key = next(key for key in _SETTINGS if getattr(self, key) or key == "timeouts")
            raise refused(key, f"'{key}' is of IPVS, and {self.scheduler} balances without it")
        if self.label in OTHER_SECTIONS:
            raise refused("label", f"'{self.label}' is a section of 'expect'; choose another label")
        if self.label in BALANCERS and self.label != self.scheduler:
            raise refused(
                "label", f"'{self.label}' is another scheduler's name; choose another label"
            )
        if len(self.label) > MAX_LABEL:
            raise refused(None, "what is set is too long for a name; give it a 'label'")
        return self


_SETTINGS = ("flags", "persistence", "sysctls", "timeouts")


def _flag_fault(scheduler: str, flag: str, known: list[str]) -> str | None:
    """Why a flag would do nothing."""
    if flag == OPS:
        return (
            "'ops' (one-packet scheduling) is for UDP alone (ip_vs_core.c, ip_vs_schedule), and"
            " the load is HTTP over TCP: it would change nothing"
        )
    if flag in known:
        return None
    if flag in _ALL_FLAGS:
        owner = next(one.name for one in SCHEDULERS.values() if flag in dict(one.flags))
        return f"{scheduler} does not know {quoted(flag)}, a flag of {owner}"
    near = hint(flag, known or _ALL_FLAGS, "flags")
    return f"{scheduler} does not know the flag {quoted(flag)}; {near}"


def made_label(told: dict[str, Any]) -> str:
    """The label of an entry without one: "sh-port", "rr-persistence-60s-netmask-24"."""
    scheduler = told["scheduler"]
    parts = [scheduler, *(flag.removeprefix(f"{scheduler}-") for flag in told["flags"])]
    if told["persistence"] is not None:
        parts.append(f"persistence-{number(told['persistence'])}s")
    if told["netmask"] is not None:
        parts.append(f"netmask-{told['netmask']}")
    parts += [f"{name}-{value}" for name, value in told["sysctls"].items()]
    timeouts = told["timeouts"]
    parts += [f"{name}-{s}s" for name in _TIMEOUTS if (s := getattr(timeouts, name)) is not None]
    if told["forwarding"] is not None:
        parts.append(told["forwarding"])
    return "-".join(parts)


def _from_name(value: object) -> object:
    if isinstance(value, str):
        return {"scheduler": value}
    if not isinstance(value, dict | Variant):
        raise unexpected("expected the name of a scheduler, or a mapping with 'scheduler'")
    return value


VariantEntry = Annotated[
    Variant, BeforeValidator(_from_name, json_schema_input_type=BalancerName | Variant)
]
"""A variant as a file writes it: a name alone will do."""

PRESENT = Variant.model_construct(label="", scheduler="")
"""Whatever balancer is there, with what is set; no file can ask for it."""


def of_label(label: str, variants: tuple[Variant, ...]) -> Variant | None:
    """The one of these with this label, else the balancer of that name alone; None without."""
    named = next((one for one in variants if one.label == label), None)
    if named is not None or label not in BALANCERS:
        return named
    return Variant(scheduler=label)


def unknown_label(label: str, variants: tuple[Variant, ...]) -> str:
    """The end of a message about a label that is none: which was probably meant."""
    return hint(label, dict.fromkeys([*(one.label for one in variants), *BALANCERS]), "schedulers")


def labels(variants: tuple[Variant, ...]) -> str:
    """Their labels, listed for people."""
    return listed(one.label for one in variants)
