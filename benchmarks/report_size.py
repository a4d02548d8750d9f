"""report.html of 20 columns by 20 repeats: its size, what it costs, and how soon a browser has it.

The recording is simulated, so it needs no kernel; about a minute. What is spent on evaluating is
the model's replay and the tests of all pairs; rendering is the page alone. The browser is Debian's
Chromium: the least of some rounds, until the page is loaded and laid out, and until it has drawn
the next frame.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ipvsload.record.reader import read
from ipvsload.report.html import html_report
from ipvsload.results.evaluate import evaluate
from ipvsload.results.recorded_scenario import recorded_scenario
from tests.locust_plugin.browser import browser

LIMIT_MB, LIMIT_S = 3.0, 2.0
REPEATS = 20
ROUNDS = 5
WIDTH, HEIGHT = 1280, 900
SCHEDULERS = (
    "rr",
    "wrr",
    "lc",
    "wlc",
    "sed",
    "nq",
    "lblc",
    "lblcr",
    "sh",
    "mh",
    "twos",
    "dh",
    "ovf",
)
TWICE = ("rr", "wrr", "lc", "wlc", "sed", "nq", "twos")
SCENARIO = """\
name: twenty
schedulers: [{schedulers}]
service:
  servers: 8
  clients: 16
  capacity: {{ workers: 2 }}
traffic:
  work:
    request: GET /delay/{{work}}
    work: exponential 50ms
    rate: 250
    arrivals: poisson
    duration: 2s
  short: {{ request: GET /ip, rate: 40, arrivals: poisson, duration: 2s }}
timeline:
  - start: [work, short]
  - wait: done
    within: 60s
expect:
  all:
    - failures == 0
"""
_READY = """
const done = arguments[0];
document.body.getBoundingClientRect();
const laidOut = performance.now();
requestAnimationFrame(() => requestAnimationFrame(() => done([laidOut, performance.now()])));
"""
_OPEN = "document.querySelectorAll('details').forEach((one) => { one.open = true; });"


def main() -> None:
    """Print the figures."""
    again = (f"{{label: {name}-again, scheduler: {name}}}" for name in TWICE)
    columns = [*SCHEDULERS, *again]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scenario, out = folder / "twenty.yaml", folder / "out"
        scenario.write_text(SCENARIO.format(schedulers=", ".join(columns)))
        words = ["simulate", str(scenario), "--repeats", str(REPEATS), "--out", str(out)]
        ended = subprocess.run([sys.executable, "-m", "ipvsload", *words], capture_output=True)
        page = folder / "report.html"
        print(f"report.html of {len(columns)} columns by {REPEATS} repeats, of the processor:")
        size = _render(out, page)
        print(f"size {size:.2f} MB (to reach: {LIMIT_MB:g})")
        assert ended.returncode in (0, 1), ended.stderr
        _browse(page, folder)


def _render(out: Path, page: Path) -> float:
    """Evaluate and render the recording; print what each took. The size in MB."""
    began = time.process_time()
    recording = read(out)
    was_read = time.process_time()
    results = evaluate(recording, recorded_scenario(recording))
    evaluated = time.process_time()
    text = html_report.render(results, recording)
    rendered = time.process_time()
    page.write_text(text)
    requests = sum(len(run.requests) for run in recording.runs)
    told = f"{requests} requests in {len(recording.runs)} runs"
    print(f"{'reading':12} {was_read - began:6.2f} s   {told}")
    print(f"{'evaluating':12} {evaluated - was_read:6.2f} s   the model's replay, and all pairs")
    print(f"{'rendering':12} {rendered - evaluated:6.2f} s")
    return len(text.encode()) / 1e6


def _browse(page: Path, folder: Path) -> None:
    loaded, drawn, opened = [], [], []
    with browser(folder / "browser") as window:
        window.size(WIDTH, HEIGHT)
        for _ in range(ROUNDS):
            window.open("about:blank")
            window.open(page.as_uri())
            laid_out, frame = window.driver.execute_async_script(_READY)
            loaded.append(laid_out / 1000)
            drawn.append(frame / 1000)
            began = window.run("return performance.now()")
            window.run(_OPEN)
            opened.append((window.driver.execute_async_script(_READY)[1] - began) / 1000)
    print(f"in the browser: loaded and laid out after {min(loaded):.2f} s (to reach: {LIMIT_S:g}),")
    print(f"drawn after {min(drawn):.2f} s; opening all that is folded takes {min(opened):.2f} s")


if __name__ == "__main__":
    main()
