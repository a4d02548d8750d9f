"""By whose word reports say which server had a request."""

from ipvsload.report.wording import figure, plural
from ipvsload.results.results import Results


def attributed(results: Results) -> str:
    """How many requests' servers the kernel told, and whether the servers say the same.

    "" where nobody read a list of connections.
    """
    found = [run.attribution for run in results.runs if run.attribution]
    if not found:
        return ""
    told, agreed, differ, left = (
        sum(getattr(one, name) for one in found) for name in ("told", "agreed", "disagreed", "open")
    )
    words = f"servers of requests: {figure(told)} told by the director's list of connections"
    if differ:
        words += f"; {plural(differ, 'answer')} named another one"
    elif agreed:
        words += f"; all {figure(agreed)} answers that name theirs agree"
    elif told:
        words += "; no answer names its own"
    if left:
        words += f"; of {plural(left, 'answer')} it does not tell"
    return words


def needed(results: Results) -> bool:
    """Whether servers are known by the list alone, or not as answers say."""
    found = [run.attribution for run in results.runs if run.attribution]
    return any(one.disagreed or (one.told and not one.agreed) for one in found)
