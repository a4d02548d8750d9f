"""How much an active connection counts beside a finished one: for lc, wlc, lblc, lblcr and twos.

They compare ip_vs_dest_conn_overhead (include/net/ip_vs.h). Until 2026 it was 256 times the
active connections plus the inactive ones; since "ipvs: add totalconns for dest" it is 256 times
the active ones plus all.
"""

LC_LAWS = 256, 257
"""That of older kernels, and that of newer ones."""
USUAL_LC_LAW = LC_LAWS[0]
"""That of most kernels of today: where nothing else is known."""
