"""`ipvsload trace`: a file of arrivals out of a web server's access log."""

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ipvsload.cli.terminal import say
from ipvsload.errors import UsageError

if TYPE_CHECKING:
    from ipvsload.scenario.access_log import LogTrace


@click.command()
@click.argument("access_log", type=click.Path(path_type=Path, allow_dash=True))
def trace(access_log: Path) -> int:
    """Write the GET requests of ACCESS_LOG as arrivals for `arrivals: {file: FILE}`.

    It is in the common or combined format, possibly with nginx's $request_time behind
    that or with times in ISO 8601; - is stdin. CSV with the columns offset, path and,
    where the log has it, work goes to stdout.
    """
    from ipvsload.scenario.access_log import LogTrace
    from ipvsload.scenario.words import counted

    try:
        with click.open_file(str(access_log), errors="replace") as lines:
            log = LogTrace(lines)
            write, count, last = csv.writer(sys.stdout, lineterminator="\n").writerow, 0, 0.0
            for seconds, path, work in log:
                if not count:
                    write(["offset", "path", "work"] if log.has_work else ["offset", "path"])
                count, last = count + 1, seconds
                row = [f"{seconds:.6f}", path]
                write([*row, f"{work:.6f}"] if log.has_work else row)
    except OSError as error:
        raise UsageError(f"{access_log}: {error.strerror or error}") from None
    if not count:
        raise UsageError(f"{access_log}: no GET request in a known format in it")
    say(f"{counted(count, 'arrival')} in {last:.1f} s{_left_out(log)}")
    if log.whole:
        say("the log has whole seconds: the requests of each were put at even distances in it")
    return 0


def _left_out(log: "LogTrace") -> str:
    left = []
    if log.not_get:
        left.append(f"{log.not_get} that are not GET")
    if log.not_understood:
        numbers = ", ".join(map(str, log.not_understood))
        more = f" and {log.others} more" if log.others else ""
        left.append(f"lines that were not understood ({numbers}{more})")
    return f"; left out: {' and '.join(left)}" if left else ""
