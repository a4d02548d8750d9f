"""results.json as tables: runs, servers, measures and compared pairs.

They come from the file that the report wrote: to make these figures anew, a recording would have
to be in memory as a whole.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ipvsload.record.format import RESULTS
from ipvsload.report.exports.export_table import CellType, ExportTable

_RUN: dict[str, CellType] = {"run": "int", "column": "text", "repeat": "int"}
_GROUPS = ("latency_ms", "lateness_ms", "queue_ms")


class NoResultsError(Exception):
    """There are no figures to export; the text says why."""


def results_tables(directory: Path) -> list[ExportTable]:
    """The tables of DIRECTORY/results.json. Raises NoResultsError where it cannot be had."""
    with _reading():
        results = _results(directory)
        tables = (_runs(results), _servers(results), _measures(results), _comparison(results))
        return [ExportTable(one.name, one.columns, list(one.rows)) for one in tables]


def valid_runs(directory: Path) -> set[int]:
    """The numbers of the runs that count: valid ones that did not end early.

    Raises NoResultsError as `results_tables` does.
    """
    with _reading():
        return {
            run["number"]
            for run in _results(directory)["runs"]
            if run["valid"] and not run.get("ended_early")
        }


def _results(directory: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((directory / RESULTS).read_bytes())
    return found


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise NoResultsError(f"{RESULTS} is missing") from None
    except OSError as error:
        raise NoResultsError(f"{RESULTS} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise NoResultsError(f"{RESULTS} is damaged") from None
    except (AttributeError, IndexError, KeyError, TypeError):
        raise NoResultsError(f"{RESULTS} is damaged, or an earlier version's") from None


def _of_run(run: dict[str, Any]) -> tuple[Any, ...]:
    return run["number"], run.get("label") or run["scheduler"], run["repeat"]


def _runs(results: dict[str, Any]) -> ExportTable:
    """A row a run and class."""
    traffic = [one for run in results["runs"] for one in run["traffic"].values()]
    more = [
        (group, which)
        for group in _GROUPS
        for which in _keys(one.get(group, {}) for one in traffic)
    ]
    columns: dict[str, CellType] = {
        **_RUN,
        "scheduler": "text",
        "valid": "bool",
        "verdict": "text",
        "class": "text",
        "requests": "int",
        "failures": "int",
        "retried": "int",
        "requests_per_s": "float",
    }
    for group, which in more:
        columns[f"{group.removesuffix('_ms')}_{which}_ms"] = "float"
    return ExportTable("runs", columns, _run_rows(results, more))


def _run_rows(results: dict[str, Any], more: list[tuple[str, str]]) -> Iterator[tuple[Any, ...]]:
    for run in results["runs"]:
        for name, one in run["traffic"].items():
            yield (
                *(*_of_run(run), run["scheduler"], run["valid"], run.get("verdict"), name),
                *(one["requests"], one["failures"], one.get("retried"), one.get("rps")),
                *(one.get(group, {}).get(which) for group, which in more),
            )


def _servers(results: dict[str, Any]) -> ExportTable:
    """A row a run and real server, by its number in the order of joining."""
    found = [server for run in results["runs"] for server in run["servers"]]
    classes = _keys(server["requests"] for server in found)
    columns: dict[str, CellType] = {
        **_RUN,
        "number": "int",
        "server": "text",
        "weight": "int",
        "connections": "int",
        "predicted_connections": "int",
        "active_max": "int",
        "inactive_max": "int",
        "utilisation": "float",
        "busy_max": "int",
        "queue_max": "int",
    }
    columns |= {f"requests_{name}": "int" for name in classes}
    columns |= {f"failures_{name}": "int" for name in classes}
    rows = (
        (
            *(*_of_run(run), number, one["address"], one["weight"], one["connections"]),
            *((one.get("predicted") or {}).get("connections"), one["active_max"]),
            *(one["inactive_max"], one.get("utilisation"), one.get("busy_max")),
            one.get("queue_max"),
            *(one["requests"].get(name) for name in classes),
            *(one.get("failures", {}).get(name) for name in classes),
        )
        for run in results["runs"]
        for number, one in enumerate(run["servers"], 1)
    )
    return ExportTable("servers", columns, rows)


def _measures(results: dict[str, Any]) -> ExportTable:
    """A row a run and measure under test: what the comparison was made of."""
    rows = (
        (one["label"], repeat, one["measure"], one["unit"], value)
        for one in results["columns"]
        for repeat, value in one["blocks"]
    )
    columns: dict[str, CellType] = {
        "column": "text",
        "repeat": "int",
        "measure": "text",
        "unit": "text",
        "value": "float",
    }
    return ExportTable("measures", columns, rows)


def _comparison(results: dict[str, Any]) -> ExportTable:
    """A row a pair of columns and measure. Differences are b - a, in the measure's unit."""
    units = {one["measure"]: one["unit"] for one in results["columns"]}
    columns: dict[str, CellType] = {
        "measure": "text",
        "unit": "text",
        "a": "text",
        "b": "text",
        "runs_a": "int",
        "runs_b": "int",
    }
    for name in ("median_a", "median_b", "difference"):
        columns |= {name: "float", f"{name}_ci95_low": "float", f"{name}_ci95_high": "float"}
    columns |= {
        "p": "float",
        "p_holm": "float",
        "tests": "int",
        "least_p": "float",
        "p_equivalent": "float",
        "margin": "float",
        "verdict": "text",
        "more_blocks": "int",
        "paired": "bool",
        "method": "text",
        "warnings": "text",
    }
    rows = (
        (
            *(one["measure"], units.get(one["measure"]), one["a"], one["b"], *one["n"]),
            *(one["median"][0], *_interval(one["ci95"][0])),
            *(one["median"][1], *_interval(one["ci95"][1])),
            *(one["difference"], *_interval(one["difference_ci95"])),
            *(one["p"], one["p_holm"], one["tests"], one["least_p"]),
            *(one["p_equivalent"], one["margin"], one["verdict"]),
            *(one["more_blocks"], one["paired"], one["method"], "; ".join(one["warnings"])),
        )
        for one in results["comparison"]
    )
    return ExportTable("comparison", columns, rows)


def _interval(found: list[float] | None) -> tuple[float | None, float | None]:
    return (found[0], found[1]) if found else (None, None)


def _keys(found: Iterable[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(key for one in found for key in one))
