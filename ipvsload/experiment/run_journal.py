"""What one run writes into the record, as things happen.

Each event has the run's number and the time. It is in the file when it is shown.
"""

from ipvsload.experiment.run_context import RunContext
from ipvsload.record import events
from ipvsload.record.clock_alignment import Alignment
from ipvsload.record.witness import Witness
from ipvsload.scenario.server_conditions import Conditions
from ipvsload.scenario.variant import Variant
from ipvsload.testbed.base import PacketWatch, ServiceUnderTest


class RunJournal:
    """The events of run `number`."""

    def __init__(self, context: RunContext, number: int) -> None:
        self._context = context
        self.number = number
        self._settings: dict[str, object] = {}
        """What is set on each node, as it was recorded last."""

    def now(self) -> tuple[int, int]:
        """The run's number and the time in µs: what each of its events begins with."""
        return self.number, self._context.clock.now_us()

    def record(self, event: events.Event) -> None:
        """Write the event, which is in the file on return, and show it."""
        self._context.writer.event(event)
        self._context.progress.happened(event)

    def invalid(self, reason: str) -> None:
        """The run does not count, and why."""
        self.record(events.RunInvalid(*self.now(), reason))

    def planned(self, variant: Variant, repeat: int) -> None:
        """The run begins; its service is not there yet."""
        label = variant.label or None
        self.record(events.RunPlanned(*self.now(), variant.scheduler, repeat, label))

    def started(self, variant: Variant, repeat: int, service: ServiceUnderTest) -> None:
        """The service under test is there."""
        testbed = self._context.testbed
        self.record(
            events.RunStarted(
                *self.now(),
                scheduler=service.balancer,
                repeat=repeat,
                kernel=dict(testbed.kernel),
                service=service.target.key,
                baseline_conns=dict(service.baseline),
                exclusive=testbed.exclusive,
                guess=service.guess or None,
                hz=self._context.samples.hz,
                forwarding=service.forwarding or None,
                label=variant.label or None,
                netmask=service.netmask,
            )
        )

    def server_joined(self, number: int, address: str, weight: int) -> None:
        """A real server joined."""
        self.record(events.ServerJoined(*self.now(), address, number, weight))

    def server_suffers(self, number: int, address: str, conditions: Conditions) -> None:
        """What a real server suffers from has changed."""
        words = ", ".join(conditions)
        self.record(events.ServerCondition(*self.now(), address, number, words))

    def class_started(self, name: str) -> None:
        """A class of traffic starts."""
        self.record(events.ClassStarted(*self.now(), name))

    def class_done(self, name: str) -> None:
        """A class of traffic has sent everything and has every answer."""
        self.record(events.ClassDone(*self.now(), name))

    def changed_by_hand(self, text: str) -> None:
        """A person did this."""
        self.record(events.ChangedByHand(*self.now(), text))

    def director_settings(self, key: str) -> None:
        """What is set on each director of service `key`, where that is new to this record."""
        for node, told in self._context.samples.settings.items():
            if self._settings.get(node) is not told:
                self._settings[node] = told
                timeouts, sysctls = dict(told.timeouts), dict(told.sysctls)
                forwarding = told.forwardings.get(key)
                self.record(
                    events.DirectorSettings(
                        *self.now(), node, timeouts, sysctls, forwarding, told.ticks
                    )
                )

    def align_clocks(self) -> int:
        """Measure the nodes' clocks; returns by how much the worst result may be wrong, in µs."""
        clocks = self._context.samples.align()
        aligned = (self.clock_aligned(node, clock) for node, clock in clocks.items())
        return max(aligned, default=0)

    def clock_aligned(self, node: str, clock: Alignment) -> int:
        """A node's clock was measured; returns how far the result may be wrong, in µs."""
        uncertainty_us = -(-clock.uncertainty_ns // 1000)
        from_ns = self._context.clock.from_ns
        offset_us, booted_us = clock.offset_ns // 1000, from_ns(-clock.offset_ns)
        self.record(events.ClockAligned(*self.now(), node, offset_us, uncertainty_us, booted_us))
        return uncertainty_us

    def keep_packets(self, watch: PacketWatch) -> None:
        """End the watch, and record what packets say of the run."""
        seen = watch.end()
        table = seen.table.moved(self._context.clock.from_ns(0) * 1000)
        witness = Witness(table, seen.dropped)
        size = self._context.writer.packets(self.number, witness) if len(table) else 0
        self.record(
            events.WitnessKept(
                *self.now(),
                packets=len(table),
                dropped=seen.dropped,
                size=size,
                cpu_s=round(seen.cpu_s, 4),
                why=seen.why or None,
                director_us=table.director_us(),
            )
        )
