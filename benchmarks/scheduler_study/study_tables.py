"""The tables of the pages. Pure."""

from collections.abc import Iterable, Sequence

from benchmarks.markdown_table import markdown
from benchmarks.scheduler_study.grid import LOADS, NODES, NODES_BETWEEN, WORKS
from benchmarks.scheduler_study.kept_cells import Key
from benchmarks.scheduler_study.leaving_effects import PERCENTILES, Study
from benchmarks.scheduler_study.study_cell import KEYS, RANDOM
from benchmarks.scheduler_study.study_words import told, with_interval

USUAL_SCHEDULERS = ("rr", "lc", "sed")


def lookup(study: Study, scheduler: str) -> str:
    """p99 by number of nodes, load and kind of work: where readers look themselves up."""
    rows = [["nodes", "load", *WORKS]]
    for nodes in NODES:
        for load in LOADS:
            cells = [study.key(nodes=nodes, load=load, work=work) for work in WORKS]
            rows.append([f"{nodes:,}", f"{load:g}", *(p99(study, key, scheduler) for key in cells)])
    return markdown(rows)


def p99(study: Study, key: Key, scheduler: str) -> str:
    """One effect; "-" where it was not played."""
    return effect_told(study, key, scheduler, "p99")


def effect_told(study: Study, key: Key, scheduler: str, percentile: str) -> str:
    """The same of any percentile."""
    effect = study.effects.get((key, scheduler, percentile))
    if effect is None:
        return "-"
    return told(
        effect,
        chance_full=study.overloads(key, RANDOM),
        own_full=study.overloads(key, scheduler),
    )


def every_effect(study: Study, keys: Iterable[Key], names: Sequence[str]) -> str:
    """A row a cell; by `names` which of KEYS are shown. p50, p95, p99 of each scheduler."""
    shown = list(keys)
    schedulers = list(
        dict.fromkeys(
            name for key in shown for name in study.cells[key] if _tested(study, key, name)
        )
    )
    rows = [[*names, "chance p99, ms", *schedulers]]
    for key in shown:
        cell = dict(zip(KEYS, key, strict=True))
        of_chance = study.effects[key, USUAL_SCHEDULERS[0], "p99"].random_ms
        row = [*(cell[name] for name in names), f"{of_chance:,.0f}"]
        for scheduler in schedulers:
            told_each = (effect_told(study, key, scheduler, one) for one in PERCENTILES)
            row.append(" / ".join(told_each) if _tested(study, key, scheduler) else "-")
        rows.append(row)
    return markdown(rows)


def _tested(study: Study, key: Key, scheduler: str) -> bool:
    return (key, scheduler, "p99") in study.effects


def memory(study: Study) -> str:
    """Of lc, by how many finished connections a node remembers of a pod."""
    rows = [["remembered", "nodes", "pods", "work, ms", "busiest pod asked", "p99, leaving lc"]]
    for remembered, key in remembering(study):
        cell = dict(zip(KEYS, key, strict=True))
        rows.append(
            [
                f"{remembered:,.2g}" if remembered < 10 else f"{remembered:,.0f}",
                cell["nodes"],
                cell["pods"],
                cell["mean_ms"],
                f"{study.busiest(key, 'lc'):.2f}",
                with_interval(study.effects[key, "lc", "p99"]),
            ]
        )
    return markdown(rows)


def remembering(study: Study) -> list[tuple[float, Key]]:
    """Cells at 0.9 whose pods are alike, by connections that a node remembers of a pod."""
    found = []
    for key in study.cells:
        cell = dict(zip(KEYS, key, strict=True))
        usual = study.key(nodes=cell["nodes"], load=0.9, pods=cell["pods"], mean_ms=cell["mean_ms"])
        if key == usual:
            found.append((remembered_of(cell), key))
    return sorted(found, reverse=True)


def remembered_of(cell: dict[str, str]) -> float:
    """Connections to a pod that end within 120 s through one node, in the mean."""
    each_pod = float(cell["load"]) * 4 * 1000 / float(cell["mean_ms"])
    return 120 * each_pod / float(cell["nodes"])


def held(study: Study, kind: str) -> str:
    """p99 where connections stay open."""
    return _few(study, USUAL_SCHEDULERS, held=kind)


def unequal(study: Study) -> str:
    """p99 where every other pod is half as quick again."""
    weighted = ("wrr 2:3", "wlc 2:3", "sed 2:3", "nq 2:3")
    return _few(study, (*USUAL_SCHEDULERS, *weighted), pod_kind="two speeds")


def _few(study: Study, schedulers: Sequence[str], **asked: object) -> str:
    rows = [["nodes", "load", "chance p99, ms", *schedulers]]
    for nodes in NODES:
        for load in LOADS:
            key = study.key(nodes=nodes, load=load, **asked)
            if key in study.cells:
                of_chance = study.effects[key, "rr", "p99"].random_ms
                told_each = (p99(study, key, one) for one in schedulers)
                rows.append([f"{nodes:,}", f"{load:g}", f"{of_chance:,.0f}", *told_each])
    return markdown(rows)


def cold(study: Study) -> str:
    """p99 of the first 80 seconds of a Service."""
    rows = [["nodes", "chance p99, ms", *USUAL_SCHEDULERS]]
    for nodes in NODES:
        key = study.key(nodes=nodes, load=0.9, start="cold")
        of_chance = study.effects[key, "rr", "p99"].random_ms
        rows.append(
            [f"{nodes:,}", f"{of_chance:,.0f}", *(p99(study, key, one) for one in USUAL_SCHEDULERS)]
        )
    return markdown(rows)


def of_load(study: Study, load: float) -> list[Key]:
    """The cells of the main grid, and those between, at this load."""
    asked = (
        {"nodes": n, "load": load, "work": w} for n in sorted(NODES + NODES_BETWEEN) for w in WORKS
    )
    keys = (study.key(**one) for one in asked)
    return [key for key in keys if key in study.cells]


def other_sizes(study: Study) -> list[Key]:
    """Cells at 0.9 with other numbers of pods, or other lengths of work."""
    usual = set(of_load(study, 0.9))
    return [key for _, key in remembering(study) if key not in usual]


def twins(study: Study) -> tuple[int, int]:
    """In how many cells lc's and sed's twins were played, and in how many all figures are alike."""
    played = [by_scheduler for by_scheduler in study.cells.values() if "wlc" in by_scheduler]
    alike = sum(
        of[twin][0].measured == of[name][0].measured
        for of in played
        for twin, name in (("wlc", "lc"), ("nq", "sed"))
    )
    return len(played), alike // 2
