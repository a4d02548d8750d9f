"""Parts of error messages: quoting, listing, and the nearest right word.

They are in one place, so that all messages about a scenario use the same wording.
"""

from collections.abc import Iterable
from difflib import get_close_matches


def quoted(text: str) -> str:
    """The text in quotes: on one line, and at most 40 characters of it."""
    shown = text if len(text) <= 40 else text[:37] + "..."
    escaped = shown if shown.isprintable() else repr(shown)[1:-1]
    return f"'{escaped}'"


_MOST_LISTED = 20
"""All schedulers fit in."""


def listed(words: Iterable[str], last: str = "and") -> str:
    """'a, b and c'; at most twenty are named."""
    all_words = list(words)
    if len(all_words) > _MOST_LISTED:
        return ", ".join(all_words[:_MOST_LISTED]) + f" and {len(all_words) - _MOST_LISTED} more"
    if len(all_words) < 2:
        return "".join(all_words)
    return ", ".join(all_words[:-1]) + f" {last} {all_words[-1]}"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most like this one; None where none is."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    # The matcher is quadratic in length, and no word of ours is long.
    found = get_close_matches(word[:64].casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def hint(word: str, known: Iterable[str], plural: str) -> str:
    """The end of a message about an unknown word: what to write instead."""
    candidates = list(known)
    close = nearest(word, candidates)
    if close is not None:
        return f"did you mean {quoted(close)}?"
    if not candidates:
        return f"there are no {plural}"
    return f"the {plural} are {listed(candidates)}"


def no_class(name: str, classes: Iterable[str], where: str = "") -> str:
    """The message for a class that is not under `traffic`."""
    return f"no class {quoted(name)}{where}; {hint(name, classes, 'classes')}"


def counted(count: int, word: str) -> str:
    """'1 server', '2 servers'."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def number(value: float) -> str:
    """A number as people write it: 10, 0.5, 12.346."""
    return str(int(value)) if value == int(value) else f"{value:.6g}"
