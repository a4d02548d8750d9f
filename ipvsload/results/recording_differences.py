"""What differs between recordings besides their figures: scenario, kernel, settings, machine.

What nobody recorded is "unknown", and differs from nothing as long as all others are alike.
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ipvsload.record.recorded_machine import RecordedMachine
from ipvsload.results.comparison import ComparedRecording
from ipvsload.results.director import timeout_name
from ipvsload.results.recording_pair import RecordedDifference
from ipvsload.results.results import Results

UNKNOWN = "unknown"
_MADE_ON = "load made on"
_OF_THE_KERNEL = {"sync_qlen_max"}
"""Nobody sets it: the kernel works it out of its memory, anew for each network namespace
(net/netfilter/ipvs/ip_vs_ctl.c, ip_vs_control_net_init_sysctl)."""
_OF_SCENARIO = {"scenario", "simulated with", "columns", "classes", "measures"}
OF_MACHINE = ("processor", "cores", "memory", "generator's kernel")
"""Facts of the machine that made the load."""
CONTEXT = 2
"""Lines around a changed one that are shown."""


def differences(recordings: Sequence[ComparedRecording]) -> list[RecordedDifference]:
    """All of them, for people; the lines of scenario files are `changed_lines`."""
    told = [dict(_facts(one)) for one in recordings]
    machines = [one.results.recorded_by.machine for one in recordings]
    if all(machines):
        for facts, machine in zip(told, machines, strict=True):
            facts |= _machine_facts(machine) if machine else {}
    elif any(machines):
        for facts, one in zip(told, recordings, strict=True):
            facts[_MADE_ON] = _machine_words(one.results)
    found = []
    for what in dict.fromkeys(what for facts in told for what in facts):
        values = tuple(facts.get(what) or UNKNOWN for facts in told)
        if len({value for value in values if value != UNKNOWN or what == _MADE_ON}) > 1:
            found.append(RecordedDifference(what, values))
    return found


def found_facts(one: ComparedRecording) -> dict[str, str]:
    """What may explain a difference to another recording of the same scenario, by name."""
    machine = one.results.recorded_by.machine
    told = dict(_facts(one)) | (_machine_facts(machine) if machine else {})
    return {what: value for what, value in told.items() if value and what not in _OF_SCENARIO}


def differing(first: Mapping[str, str], other: Mapping[str, str]) -> tuple[RecordedDifference, ...]:
    """The facts that both know and that are not the same."""
    return tuple(
        RecordedDifference(what, (value, other[what]))
        for what, value in first.items()
        if other.get(what, value) != value
    )


def changed_lines(first: ComparedRecording, other: ComparedRecording) -> list[str]:
    """The scenario files' unified difference.

    [] where they say the same, where one is lost, and where they are scenarios of other names.
    """
    if first.scenario_text is None or other.scenario_text is None or same_scenario(first, other):
        return []
    if first.results.scenario != other.results.scenario:
        return []
    return list(
        difflib.unified_diff(
            first.scenario_text.splitlines(),
            other.scenario_text.splitlines(),
            f"{first.name}/scenario.yaml",
            f"{other.name}/scenario.yaml",
            n=CONTEXT,
            lineterm="",
        )
    )


def same_scenario(first: ComparedRecording, other: ComparedRecording) -> bool:
    """Whether their scenarios say the same, whatever their comments and layout."""
    return first.scenario is not None and first.scenario == other.scenario


def _facts(one: ComparedRecording) -> Iterator[tuple[str, str]]:
    results = one.results
    yield "scenario", results.scenario
    yield "simulated with", one.scaled or "what the file says"
    yield "testbed", results.testbed
    yield "kernel", results.kernels
    yield "lc_law", _several(run.kernel.get("lc_law") for run in results.runs)
    yield "columns", ", ".join(summary.label for summary in results.schedulers)
    yield "classes", ", ".join(dict.fromkeys(name for run in results.runs for name in run.traffic))
    yield "measures", ", ".join(dict.fromkeys(column.measure for column in results.columns))
    yield from _services(results)
    yield from _director(results)
    yield "ipvsload", results.recorded_by.ipvsload


def _services(results: Results) -> Iterator[tuple[str, str]]:
    """What was set of the columns' services and is unusual, where samples tell."""
    if all(run.director.persistent_seconds is None for run in results.runs):
        return
    told = dict.fromkeys(
        f"{run.label} {words}" for run in results.runs for words in run.director.of_service
    )
    yield "services", ", ".join(told) or "as by default"


def _director(results: Results) -> Iterator[tuple[str, str]]:
    """Each timeout and sysctl, where they are known."""
    known = [run.director for run in results.runs]
    for name in sorted({name for one in known for name in one.timeouts}):
        yield timeout_name(name), _several(one.timeouts.get(name) for one in known)
    for name in sorted({name for one in known for name in one.sysctls} - _OF_THE_KERNEL):
        yield name, _several(one.sysctls.get(name) for one in known)


def _machine_facts(machine: RecordedMachine) -> dict[str, str]:
    memory = f"{machine.memory_gib:g} GiB" if machine.memory_gib else ""
    told = (machine.processor, _several([machine.cores]), memory, machine.kernel)
    return {**dict(zip(OF_MACHINE, told, strict=True)), **machine.versions}


def _machine_words(results: Results) -> str:
    machine = results.recorded_by.machine
    if machine is None:
        return "no machine: it is simulated" if results.simulated else ""
    cores = f"{machine.cores} cores" if machine.cores else ""
    memory = f"{machine.memory_gib:g} GiB" if machine.memory_gib else ""
    return ", ".join(part for part in (machine.processor, cores, memory) if part)


def _several(values: Iterable[object]) -> str:
    """The values that are known: "0", "0 or 1"; "" for none."""
    return " or ".join(dict.fromkeys(str(value) for value in values if value is not None))
