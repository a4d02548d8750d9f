"""The load of a simulated run: its traffic classes on the virtual clock."""

from collections.abc import Mapping

from ipvsload.ipvs_model.timer_wheel import SECOND_NS
from ipvsload.load.base import LoadListener
from ipvsload.load.burst_traffic import BURST, burst_traffic
from ipvsload.record.format import Request
from ipvsload.scenario.model import Traffic
from ipvsload.scenario.url import HttpTarget
from ipvsload.simulate.model_exchange import ModelExchange
from ipvsload.simulate.model_testbed import ModelTestbed
from ipvsload.simulate.model_workload import ModelWorkload


class ModelLoad:
    """The traffic classes of one run against the service that `testbed` has begun."""

    clocks: tuple[()] = ()
    """None: there is one clock."""

    def __init__(
        self,
        testbed: ModelTestbed,
        traffic: Mapping[str, Traffic],
        _target: HttpTarget,
        listener: LoadListener,
        key: str,
    ) -> None:
        self._testbed, self._key = testbed, key
        self._listener = listener
        self._workloads = {name: self._workload(name, spec) for name, spec in traffic.items()}
        self.counts = self._workloads.copy()

    def start(self, name: str) -> None:
        """Start a class: its users, or its arrivals."""
        self._workloads[name].start()

    def stop(self, name: str) -> None:
        """Send no new requests of this class; those in flight finish."""
        self._workloads[name].stop()

    def burst(self, requests: int, seconds: float) -> None:
        """Send `requests` requests at once, each held open for `seconds`."""
        workload = self._workload(BURST, burst_traffic(requests, seconds))
        self._workloads[f"{BURST} {len(self._workloads)}"] = workload
        workload.start()

    def finish(self, grace: float, soon: bool = False) -> None:
        """Stop every class and wait for what is in flight; see `Load`."""
        now_ns = self._testbed.time.now_ns
        waits = {
            workload: grace + (0.0 if soon else workload.spec.timeout)
            for workload in self._workloads.values()
        }
        for workload in waits:
            workload.stop()
        for workload in sorted(waits, key=waits.__getitem__):
            workload.finish(now_ns + round(waits[workload] * SECOND_NS))

    def overloads(self) -> list[str]:
        """None: this generator is never late."""
        return []

    def close(self) -> None:
        """Cut off what is in flight."""
        for workload in self._workloads.values():
            workload.finish(0)

    def _workload(self, name: str, spec: Traffic) -> ModelWorkload:
        return ModelWorkload(
            name,
            spec,
            self._testbed.network,
            self._testbed.first_client,
            self._finished,
            self._listener.on_done,
            self._key,
        )

    def _finished(
        self, workload: ModelWorkload, exchange: ModelExchange, end_ns: int, error: str | None
    ) -> None:
        answered = error is None
        ended = (
            Request(
                self._listener.run,
                workload.name,
                exchange.planned // 1000,
                exchange.start // 1000,
                (end_ns - exchange.planned) // 1000,
                exchange.status if answered else 0,
                exchange.asked.size if answered else 0,
                exchange.client,
                exchange.port,
                exchange.reused,
                exchange.server,
                error,
                exchange.untaken,
                exchange.idle_us,
                exchange.retried,
                exchange.work_us,
                exchange.queue_us,
                exchange.director,
            ),
        )
        self._listener.on_finished(ended)
