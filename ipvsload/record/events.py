"""What happens in a recording besides requests and samples: one type an event.

An event is one line of events.ndjson: {"run", "t_us", "kind", "data"}. The
fields of a type are the keys of `data`, in the order in which they are written.
A reader must accept records of other versions: a key that it does not know is
ignored, and an event of a kind that it does not know is kept as `OtherEvent`.
A new field needs a default, because earlier records lack it.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from ipvsload.record.event_shape import event_keys, fits
from ipvsload.record.format import FormatError


@dataclass(frozen=True)
class Event:
    """Something happened in run `run` at `t_us`, in µs since the recording began.

    Run 0 is the recording as a whole.
    """

    kind: ClassVar[str]

    run: int
    t_us: int

    def to_json(self) -> dict[str, Any]:
        """The event as the object of its line."""
        data = {
            key: value
            for name, key, _, required in event_keys(type(self))
            if (value := getattr(self, name)) is not None or required
        }
        return {"run": self.run, "t_us": self.t_us, "kind": self.kind, "data": data}


@dataclass(frozen=True)
class RunStarted(Event):
    """A run begins.

    `kernel` has its release and provider, `service` is the key of the virtual
    service, `baseline_conns` the kernel's connection counters by server address.
    `exclusive` says whether nobody else used the balancer and every answer named
    its server; records of version 0.1.0 do not say it (None). `guess` says in
    words why `service` is only a guess; None where it is none. `hz` is how many
    samples a second the sidecar promised; earlier records do not say it (None).
    `forwarding` is how packets reach the real servers ("masq", "dr" or "tun"); None
    where it is not known, as in earlier records.
    `label` names what was run, as the scenario does; None where nothing but the
    scheduler does. `netmask` is how many bits of a client's address count for the
    service's persistence, where the kernel was asked.
    """

    kind = "run"
    scheduler: str
    repeat: int
    kernel: dict[str, Any]
    service: str
    baseline_conns: dict[str, int]
    exclusive: bool | None = None
    guess: str | None = None
    hz: float | None = None
    forwarding: str | None = None
    label: str | None = None
    netmask: int | None = None


@dataclass(frozen=True)
class RunPlanned(Event):
    """The virtual service of a run is about to be made; "" is the scheduler that is there.

    It stands before `RunStarted`, so that a run whose service cannot be made has a name.
    """

    kind = "planned"
    scheduler: str
    repeat: int
    label: str | None = None


@dataclass(frozen=True)
class DirectorSettings(Event):
    """What is set on the director `node`: known at the start of a run, or changed in it.

    `timeouts` are IPVS's, in seconds ("tcp", "tcp_fin", "udp"); {} where they
    cannot be read. `sysctls` are those in /proc/sys/net/ipv4/vs. `forwarding` is how
    the table says that the run's real servers are reached, where that is not
    masquerading: "dr", "tun", or such as "dr and masq". `ticks` are the kernel's jiffies in a
    second, in which it counts timeouts; 0 where that is not known.
    """

    kind = "director"
    node: str
    timeouts: dict[str, int]
    sysctls: dict[str, Any]
    forwarding: str | None = None
    ticks: int = 0


@dataclass(frozen=True)
class ServerJoined(Event):
    """A real server joined the service: its address, its number (from 1) and its weight."""

    kind = "joined"
    server: str
    number: int
    weight: int


@dataclass(frozen=True)
class ServerCondition(Event):
    """What a real server suffers from now: "killed", "frozen, vanished"; "" where it is well."""

    kind = "condition"
    server: str
    number: int
    words: str


@dataclass(frozen=True)
class StepStarted(Event):
    """A step of the timeline begins; `index` counts from 0."""

    kind = "step"
    index: int
    text: str


@dataclass(frozen=True)
class StepDone(Event):
    """A step's wait is over; `saw` is what the wait saw last, in words."""

    kind = "step-done"
    index: int
    saw: str | None
    waited_us: int


@dataclass(frozen=True)
class ClassStarted(Event):
    """A traffic class starts."""

    kind = "class-start"
    traffic: str


@dataclass(frozen=True)
class ClassDone(Event):
    """A traffic class sends no more and has no request in flight."""

    kind = "class-done"
    traffic: str


@dataclass(frozen=True)
class ClockAligned(Event):
    """The clock of `node` less the generator's, and how far that may be wrong; in µs.

    `booted_us` is when it began, on the recording's clock; None in older records.
    """

    kind = "clock"
    node: str
    offset_us: float
    uncertainty_us: float
    booted_us: int | None = None


@dataclass(frozen=True)
class WitnessKept(Event):
    """What the watching of a run's packets brought and cost.

    So many `packets` are kept, in so many `size` bytes on disk, for `cpu_s` seconds of
    processor; `dropped` more were seen by the kernel and are lost. `why` says why
    there are none, or not all; None where all are there. `director_us` is how long a
    connection's SYN took through the director: "p50" and "p99".
    """

    kind = "witness"
    packets: int
    dropped: int
    size: int
    cpu_s: float
    why: str | None = None
    director_us: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ListRead(Event):
    """A director's list of connections has been read as a whole.

    What was there at `began_us` on `node` is recorded by now. `entries` is how many the list had,
    those of others too, and `source` where it was read: "ip_vs_conn", "nf_conntrack". `why`
    says what may be missing; None where nothing can be.
    """

    kind = "list-read"
    node: str
    began_us: int
    entries: int
    source: str
    why: str | None = None


@dataclass(frozen=True)
class ChangedByHand(Event):
    """A person changed something in the middle of the run."""

    kind = "by-hand"
    text: str


@dataclass(frozen=True)
class RunInvalid(Event):
    """The run (or, with run 0, the recording) does not count, for this reason."""

    kind = "invalid"
    reason: str


@dataclass(frozen=True)
class RunStopped(Event):
    """A condition under `stop-when` held: the rest of the timeline is not played.

    `condition` is as it was written, `seen` what it compared, in words, and `measured`
    the same as a number.
    """

    kind = "stopped"
    condition: str
    seen: str
    measured: float | None = None


@dataclass(frozen=True)
class RunEnded(Event):
    """The run ended in order. `seconds` has the lengths of setup, timeline and teardown.

    `retransmits` counts the TCP retransmission timeouts of the generator.
    """

    kind = "run-end"
    complete: bool
    retransmits: int = field(default=0, kw_only=True)
    seconds: dict[str, float]


@dataclass(frozen=True)
class ScenarioScaled(Event):
    """The scenario was simulated with so many servers and directors, and with this seed.

    None where that is as the scenario says. Its run is 0.
    """

    kind = "scaled"
    servers: int | None = None
    directors: int | None = None
    seed: int | None = None


@dataclass(frozen=True)
class BlocksPlanned(Event):
    """So many blocks (repeats) are to be played, or `most` so many; its run is 0.

    `columns` are the labels of what each block has, in the order in which people named them;
    "" is the balancer that is there. In which order a block played them, its runs say. With a
    `precision` blocks are played until intervals are no wider than this part to either side.
    """

    kind = "blocks"
    columns: list[str]
    most: int
    precision: float | None = None


@dataclass(frozen=True)
class BlocksEnded(Event):
    """Nobody had said how many `blocks` there would be, and why there are no more; its run is 0."""

    kind = "blocks-end"
    blocks: int
    reason: str


@dataclass(frozen=True)
class SelfCheckPlanned(Event):
    """Columns set alike are to be compared: scenario/self_check.py has the fields. Its run is 0."""

    kind = "self-check"
    label: str
    again: str
    comparisons: int
    blocks: int
    apart: bool = False


@dataclass(frozen=True)
class RecordingEnded(Event):
    """The whole recording ended in order; its run is 0."""

    kind = "end"


@dataclass(frozen=True)
class OtherEvent(Event):
    """An event of a kind that this version does not know."""

    name: str
    data: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """The event as the object of its line."""
        return {"run": self.run, "t_us": self.t_us, "kind": self.name, "data": self.data}


def event_of(run: int, t_us: int, kind: str, data: dict[str, Any]) -> Event:
    """The event that a line says. Raises FormatError where `data` is not what `kind` needs."""
    event_type = _TYPES.get(kind)
    if event_type is None:
        return OtherEvent(run, t_us, kind, data)
    values = {}
    for name, key, hint, required in event_keys(event_type):
        if key in data or required:
            value = data.get(key)
            if not fits(value, hint):
                raise FormatError(f'an event "{kind}" without a right "{key}"')
            values[name] = value
    return event_type(run, t_us, **values)


_TYPES = {one.kind: one for one in Event.__subclasses__() if one is not OtherEvent}
