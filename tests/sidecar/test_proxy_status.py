"""What kube-proxy says of itself, asked over real HTTP."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ipvsload.sidecar.proxy_status import ProxyStatus

# As 1.33 writes it, with what stands around it; 1.6 had the older name of the label.
METRICS = """\
# HELP kubeproxy_sync_proxy_rules_iptables_total [ALPHA] Total
kubeproxy_sync_proxy_rules_iptables_total{ip_family="IPv4",table="filter"} 0
# HELP kubernetes_build_info [ALPHA] A metric with a constant '1' value labeled by
# TYPE kubernetes_build_info gauge
kubernetes_build_info{build_date="2026-01-01T00:00:00Z",compiler="gc",git_commit="ab",\
git_tree_state="clean",git_version="v1.33.1+ours",go_version="go1.24.2",major="1"} 1
process_cpu_seconds_total 0.5
"""


@contextmanager
def serving(answers: dict[str, str]) -> Iterator[tuple[tuple[str, int], list[str]]]:
    """Serves these paths; the address, and the paths that were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            if self.path not in answers:
                self.send_error(404)
                return
            data = answers[self.path].encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield ("127.0.0.1", server.server_address[1]), asked
    finally:
        server.shutdown()
        server.server_close()


def test_mode_and_version_are_the_programs_own() -> None:
    answers = {"/proxyMode": "ipvs", "/metrics": METRICS}
    with serving(answers) as (address, asked):
        status = ProxyStatus(address)
        assert status() == {"proxy_mode": "ipvs", "proxy_version": "v1.33.1+ours"}
        assert status() == {"proxy_mode": "ipvs", "proxy_version": "v1.33.1+ours"}
        assert asked == ["/proxyMode", "/metrics", "/proxyMode"]
        # Another one, after a restart.
        del answers["/proxyMode"]
        assert status() == {"proxy_mode": "", "proxy_version": ""}
        answers |= {"/proxyMode": "iptables\n", "/metrics": METRICS.replace("v1.33.1", "v1.34.0")}
        assert status() == {"proxy_mode": "iptables", "proxy_version": "v1.34.0+ours"}
    assert status() == {"proxy_mode": "", "proxy_version": ""}


def test_without_that_metric_only_the_mode_is_known() -> None:
    with serving({"/proxyMode": "ipvs", "/metrics": "process_cpu_seconds_total 1\n"}) as (at, _):
        assert ProxyStatus(at)() == {"proxy_mode": "ipvs", "proxy_version": ""}
    with serving({"/proxyMode": "ipvs"}) as (at, _):
        assert ProxyStatus(at)() == {"proxy_mode": "ipvs", "proxy_version": ""}
