"""What a page knows after the frames that it got: assets/live_store.js in few lines."""

from typing import Any


def points(groups: list[Any]) -> list[tuple[int, dict[int, Any], int]]:
    """(time, values by key, numbers a key) of each row."""
    found = []
    for keys, rows in groups:
        for t, *values in rows:
            each = len(values) // len(keys) if keys else 0
            cells = {key: values[i * each : (i + 1) * each] for i, key in enumerate(keys)}
            found.append((t, cells, each))
    return found


class Series:
    def __init__(self) -> None:
        self.rows: list[Any] = []
        self.columns: list[Any] = []
        self.open: list[Any] = []

    def take(self, part: Any, full: bool) -> None:
        if full:
            self.rows, self.columns = [], []
        self.rows += points(part["rows"])
        self.columns += points(part["columns"])
        self.open = points(part["open"])

    def whole(self) -> list[Any]:
        return [*self.columns, *self.open, *self.rows]


class Viewer:
    """Takes frames; `position` is what it asks for next."""

    def __init__(self) -> None:
        self.position = (-1, -1)
        self.series = {name: Series() for name in ("table", "occupancy", "new", "traffic")}
        self.servers: dict[int, Any] = {}
        self.marks: list[Any] = []
        self.fulls = 0
        self.head: dict[str, Any] = {}

    def take(self, frame: dict[str, Any]) -> None:
        self.head = frame
        self.fulls += frame["full"]
        self.position = (frame["epoch"], frame["stamp"])
        if frame["full"]:
            self.marks = []
        self.marks += frame["marks"]
        for name, series in self.series.items():
            if frame["test"]:
                series.take(frame[name], frame["full"])
        if "servers" in frame:
            self.servers = {ident: rest for ident, *rest in frame["servers"]}

    def numbered(self, cells: dict[int, Any]) -> dict[int, Any]:
        """By the number that people know."""
        return {self.servers[ident][0]: value for ident, value in cells.items()}
