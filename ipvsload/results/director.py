"""What was set on the director in one run, and which of it decides more than the scheduler.

Persistence and a scheduler's flags belong to the virtual service and are in each
sample of it. Timeouts and sysctls belong to the director; there is an event of
them at the start of a run and at each change.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ipvsload.ipvs.forwarding import past_director
from ipvsload.ipvs.schedulers import ONE_PACKET, PERSISTENT, flag_names
from ipvsload.ipvs.sysctls import DECIDING_SYSCTLS, DEFAULT_TIMEOUTS
from ipvsload.ipvs.table import VirtualService
from ipvsload.record.events import DirectorSettings
from ipvsload.record.reader import RecordedRun

Value = int | str
PERSISTENT_WORD = "persistent"
_SHOWN_TIMEOUTS = {"tcp": "tcp", "tcp_fin": "fin"}
"""The load is over TCP: others are recorded and decide nothing of it."""


@dataclass(frozen=True, slots=True)
class DirectorResult:
    """The settings of one run, as they were last.

    `persistent_seconds` is 0 where the service is not persistent and None
    without samples of it, or where they do not tell for how long it is.
    `timeouts` (in seconds) and `sysctls` are those of the first node; both are
    empty where nobody could read them, and in records of earlier versions.
    `nodes` has what is different on another node: its name, and by the setting's
    name the value there. `changed` has, for people, what changed in the run.

    `forwarding` is how packets reached the real servers: "masq", "dr", "tun" or such
    as "dr and masq"; None where nobody said it.

    `of_service` and `of_director` are those that differ from what is usual,
    for people: "persistent 60 s", "sh-port"; "tcp timeout 3 s", "conntrack 1".
    """

    persistent_seconds: int | None = None
    flags: tuple[str, ...] = ()
    timeouts: Mapping[str, int] = field(default_factory=dict)
    sysctls: Mapping[str, Value] = field(default_factory=dict)
    nodes: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    changed: tuple[str, ...] = ()
    of_service: tuple[str, ...] = ()
    of_director: tuple[str, ...] = ()
    forwarding: str | None = None


def common_settings(directors: Iterable[DirectorResult]) -> tuple[str, ...]:
    """What is unusual on the director in all of these runs, in words.

    Runs that know nothing of it do not count.
    """
    known = [one.of_director for one in directors if one.timeouts or one.sysctls]
    return tuple(words for words in known[0] if all(words in one for one in known)) if known else ()


def director_result(run: RecordedRun) -> DirectorResult:
    """What the run's samples and events say of it."""
    services = (service for sample in reversed(run.samples) for service in sample.services)
    service = next(services, None)
    flags: tuple[str, ...] = ()
    if service is not None:
        flags = (*flag_names(service.scheduler, service.flags),)
        flags += ("ops",) if service.flags & ONE_PACKET else ()
    persistent, lasts = _persistence(service)
    last = {event.node: event for event in run.of_type(DirectorSettings)}
    by_node = {node: _values(event) for node, event in last.items()}
    first = next(iter(by_node.values()), {})
    told = next(iter(last.values()), None)
    # The table is what is; it says nothing where all is masquerading.
    seen = (event.forwarding for event in last.values() if event.forwarding)
    forwarding = next(seen, run.forwarding)
    past = (forwarding,) if forwarding and past_director(forwarding) else ()
    return DirectorResult(
        persistent_seconds=persistent,
        flags=flags,
        timeouts=told.timeouts if told else {},
        sysctls=told.sysctls if told else {},
        nodes={
            node: {name: value for name, value in values.items() if first.get(name) != value}
            for node, values in by_node.items()
            if values != first
        },
        changed=tuple(_changes(run)),
        of_service=lasts + flags + past,
        forwarding=forwarding,
        of_director=tuple(
            setting_words(name, value) for name, value in first.items() if _unusual(name, value)
        ),
    )


def _persistence(service: VirtualService | None) -> tuple[int | None, tuple[str, ...]]:
    """The seconds, and words where it is persistent; /proc may not tell for how long."""
    if service is None:
        return None, ()
    seconds = service.persistent_timeout
    if not seconds and service.flags & PERSISTENT:
        return None, (PERSISTENT_WORD,)
    return seconds, (persistence_words(seconds),) if seconds else ()


def persistence_words(seconds: int) -> str:
    """How long a client keeps its server, in the words of `of_service`."""
    return f"{PERSISTENT_WORD} {seconds} s"


def timeout_name(name: str) -> str:
    """What people see a timeout called that records call "tcp_fin"."""
    return f"{_SHOWN_TIMEOUTS.get(name, name)} timeout"


def _values(event: DirectorSettings) -> dict[str, Value]:
    """The settings that decide something, by the names that people see."""
    timeouts = {
        timeout_name(name): event.timeouts[name]
        for name in _SHOWN_TIMEOUTS
        if name in event.timeouts
    }
    return timeouts | {
        name: event.sysctls[name] for name in DECIDING_SYSCTLS if name in event.sysctls
    }


_USUAL: dict[str, Value] = {
    **{timeout_name(name): DEFAULT_TIMEOUTS[name] for name in _SHOWN_TIMEOUTS},
    **DECIDING_SYSCTLS,
}


def _unusual(name: str, value: Value) -> bool:
    return value != _USUAL[name]


def setting_words(name: str, value: Value) -> str:
    """A setting of the director, in the words of `of_director`."""
    return f"{name} {value} s" if name.endswith(" timeout") else f"{name} {value}"


def _changes(run: RecordedRun) -> list[str]:
    found = []
    before: dict[str, dict[str, Value]] = {}
    for event in run.of_type(DirectorSettings):
        now = _values(event)
        old = before.get(event.node, now)
        at = f"at {(event.t_us - run.start_us) / 1e6:.1f} s on {event.node}"
        found += [
            f"{setting_words(name, value)} (before: {old[name]}) {at}"
            for name, value in now.items()
            if name in old and old[name] != value
        ]
        before[event.node] = now
    return found
