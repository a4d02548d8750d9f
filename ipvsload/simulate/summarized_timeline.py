"""A scenario's steps where all that a step waits for is time, or the end of classes of traffic."""

from collections.abc import Iterable, Iterator

from ipvsload.ipvs_model.timer_wheel import SECOND_NS
from ipvsload.scenario.actions.start import Start
from ipvsload.scenario.actions.stop import Stop
from ipvsload.scenario.model import Scenario, Step
from ipvsload.simulate.connection_stream import ConnectionStream
from ipvsload.simulate.summarized_plan import awaits_done
from ipvsload.simulate.summarized_traffic import SummarizedTraffic


class SummarizedTimeline:
    """Plays steps on a stream. What is drawn at random is drawn by `key`.

    `reasons` say why what came out is not a result.
    """

    def __init__(self, scenario: Scenario, stream: ConnectionStream, key: str) -> None:
        self._scenario, self._stream, self._key = scenario, stream, key
        self._names = list(scenario.traffic)
        self._traffic = SummarizedTraffic(stream)
        self._starts = dict.fromkeys(self._names, 0)
        self._now_ns = 0
        self.reasons: list[str] = []

    @property
    def seconds(self) -> float:
        """How long it took until now."""
        return self._now_ns / SECOND_NS

    @property
    def seconds_of(self) -> dict[str, float]:
        """By class, from when its first request was due to its last answer."""
        traffic = self._traffic
        return {
            self._names[one]: (traffic.last_answer_ns[one] - began) / SECOND_NS
            for one, began in traffic.began_ns.items()
        }

    def play(self, number: int, step: Step) -> Iterator[None]:
        """Play a step, and pause now and then."""
        match step.action:
            case Start(classes=classes):
                for name in classes:
                    self._start(name)
            case Stop(classes=classes):
                for name in classes:
                    self._traffic.stop(self._names.index(name))
        if isinstance(step.awaited, float):
            yield from self._pass_until(self._now_ns + round(step.awaited * SECOND_NS))
        elif step.awaited is not None:
            awaited = awaits_done(step) or [name for name, n in self._starts.items() if n]
            deadline_ns = self._now_ns + round(step.within * SECOND_NS)
            yield from self._wait_for([self._names.index(one) for one in awaited], deadline_ns)
            if self._now_ns > deadline_ns:
                self.reasons.append(
                    f"step {number} ({step.action.describe()}) waited {step.within:g} s for"
                    f" {step.awaited}"
                )

    def finish(self) -> None:
        """What is still running is stopped, and its answers are waited for."""
        self._stream.finish()

    def _start(self, name: str) -> None:
        self._starts[name] += 1
        key = (self._key, name, self._starts[name])
        self._traffic.start(
            self._names.index(name), self._scenario.traffic[name], self._now_ns, key
        )

    def _wait_for(self, awaited: Iterable[int], deadline_ns: int) -> Iterator[None]:
        awaited = tuple(awaited)
        if any(map(self._traffic.comes, awaited)):
            coming = self._traffic.until(deadline_ns, awaited)
            while self._stream.play_some(coming):
                yield
        if any(map(self._traffic.comes, awaited)):
            self._now_ns = deadline_ns + 1
            return
        answered = (self._traffic.last_answer_ns.get(one, 0) for one in awaited)
        yield from self._pass_until(max(self._now_ns, *answered))

    def _pass_until(self, end_ns: int) -> Iterator[None]:
        coming = self._traffic.until(end_ns)
        while self._stream.play_some(coming):
            yield
        self._stream.advance(max(end_ns, self._stream.now_ns))
        self._now_ns = end_ns
