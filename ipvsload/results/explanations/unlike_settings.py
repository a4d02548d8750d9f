"""Nodes that are not set the same, and settings that changed in the middle of a run."""

from collections.abc import Iterator

from ipvsload.results.explanations.evidence import RunEvidence, more


def explain(seen: RunEvidence) -> Iterator[str]:
    """Each node that differs from the first, and each change."""
    for node, values in seen.director.nodes.items():
        told = ", ".join(f"{name} {value}" for name, value in values.items())
        yield f"the nodes are not set the same: {node} has {told}; {more('settings')}"
    for change in seen.director.changed:
        yield f"what is set changed in the run: {change}; {more('settings')}"
