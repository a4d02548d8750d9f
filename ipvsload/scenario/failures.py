"""The causes of failures: the words of `error` in a request's record, and what each means.

An answer with a status of 400 and more is a failure, too; its cause is "status"
and the number. Where TLS failed, the cause is its reason in a few words. Where a
machine gives an error that is none of these, the word is the error's own name,
such as "ENOBUFS".
"""

import re
from collections.abc import Mapping

FAILURES = {
    "refused": "no connection: a real server refused it, or the director had no server for it",
    "reset": "the connection was broken off by a reset (TCP RST)",
    "closed": "the connection was closed before the answer was whole",
    "timeout": "no whole answer in time",
    "unreachable": "no way to the target: a host or network could not be reached",
    "malformed": "what came was no HTTP answer",
    "cut off": "the end of the run overtook it",
    "no port": "this machine had no local port left, or no address of that family",
    "no descriptor": "this machine had no open file left",
}
"""What each means, in the order of tables."""
_PLACES = {kind: place for place, kind in enumerate(FAILURES)}


def in_order(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts by kind in the order of FAILURES; those that are not in it come last, by name."""
    kinds = sorted(counts, key=lambda kind: (_PLACES.get(kind, len(_PLACES)), kind))
    return {kind: counts[kind] for kind in kinds}


_OTHER_KINDS = re.compile(r"status [1-9][0-9]{2}|(TLS|certificate): .{1,200}|E[A-Z0-9]+")


def is_kind(text: str) -> bool:
    """Whether a request can fail in this way, as far as the word tells."""
    return text in FAILURES or _OTHER_KINDS.fullmatch(text) is not None
