"""`--repeats auto`: blocks are played until intervals are narrow.

Each run is evaluated once, after its block, without the model. The decision itself is in
results/precision.py.
"""

from collections.abc import Sequence
from pathlib import Path

from ipvsload.errors import InvalidRunError
from ipvsload.record.format import FormatError
from ipvsload.record.new_runs import NewRuns
from ipvsload.results.evaluate import run_result
from ipvsload.results.precision import BlockDecision, MeasuredRun, decide
from ipvsload.results.predicted_run import PredictedRun
from ipvsload.scenario.model import Scenario
from ipvsload.scenario.variant import Variant


class PrecisionRule:
    """Goes on until the intervals of the measures under test are no wider than `precision`.

    `directory` is where the runs of `variants` are recorded.
    """

    def __init__(
        self, directory: Path, scenario: Scenario, variants: Sequence[Variant], precision: float
    ) -> None:
        self.precision = precision
        self._scenario, self._labels = scenario, [variant.label for variant in variants]
        self._runs = NewRuns(directory)
        self._measured: list[MeasuredRun] = []

    def after(self, blocks: int, most: int) -> BlockDecision:
        """See `StoppingRule`."""
        try:
            new = self._runs.take()
        except (OSError, FormatError) as error:
            raise InvalidRunError(f"what was recorded cannot be read again: {error}") from None
        self._measured += [run_result(run, self._scenario, PredictedRun()) for run in new]
        return decide(self._scenario, self._measured, self._labels, blocks, most, self.precision)
