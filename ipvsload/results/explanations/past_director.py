"""Replies that go past the director: it follows connections by what clients send alone.

ip_vs_proto_tcp.c (set_tcp_state) takes the table INPUT_ONLY for them: a connection is
active until its client's FIN. Of what a real server sends, a reset among it, the
director knows nothing, so that dead connections last for their timeout.
"""

from collections.abc import Iterator

from ipvsload.ipvs.forwarding import FORWARDINGS, past_director
from ipvsload.record.events import ServerCondition
from ipvsload.results.explanations.evidence import RunEvidence, more
from ipvsload.results.kernel_counts import readings
from ipvsload.scenario.server_conditions import KILLED


def explain(seen: RunEvidence) -> Iterator[str]:
    """What was counted, and what stayed of servers that died."""
    forwarding = seen.director.forwarding or ""
    if not past_director(forwarding) or not seen.kernel.servers:
        return
    ways = [one.about for word, one in FORWARDINGS.items() if word in forwarding.split()]
    note = (
        f"replies went past the director ({', '.join(ways)}): it counts a connection as active"
        " until its client's FIN, and hears nothing of what real servers send"
    )
    *_, (_, last) = readings(seen.run.samples)
    killed = {one.server for one in seen.run.of_type(ServerCondition) if KILLED in one.words}
    left = {address: last[address].active for address in killed & set(last)}
    for address, active in sorted(left.items()):
        if active:
            note += (
                f"; {seen.name_of(address)} died, and {active} of its connections were active to"
                " the end"
            )
    yield f"{note}; {more('forwarding')}"
