"""Change kube-proxy's mode and scheduler, and put them back.

A write is conditional on the resource version that was read, so nobody else's
edit is lost, and it is in the journal before it is made.
"""

from collections.abc import Callable
from contextlib import suppress

from ipvsload.errors import TestbedError
from ipvsload.testbed.kind import Tell
from ipvsload.testbed.kubernetes import proxies
from ipvsload.testbed.kubernetes.api import Api, ApiError, Object
from ipvsload.testbed.kubernetes.journal import Journal, with_switch, write_journal
from ipvsload.testbed.kubernetes.object_names import SYSTEM
from ipvsload.testbed.kubernetes.proxy_config import ConfigError, edit, read
from ipvsload.testbed.kubernetes.proxy_daemon_set import ConfigPlace

_TRIES = 4


def switch(
    api: Api, journal: Journal, place: ConfigPlace, mode: str, scheduler: str, tell: Tell
) -> Journal:
    """Have kube-proxy run in this mode; returns the journal as it is afterwards.

    `place` has its configuration. A scheduler of "" keeps the present one. Does
    nothing where it is configured like this already. Raises TestbedError where
    somebody else edits the same ConfigMap.
    """
    found = _config_map(api, place)
    text = found["data"][place.key]
    if journal.original is not None and text not in _ours(journal):
        raise TestbedError(
            f"somebody has changed {place} while the run was on; it was left as it is"
        )
    scheduler = scheduler or read(text).scheduler
    new = edit(text, mode, scheduler)
    if new == text:
        return journal
    journal = with_switch(journal, place, text, mode, scheduler)
    write_journal(api, journal)
    tell(f"kube-proxy: {read(text)} -> {read(new)}")
    _write(api, place, found, lambda now: new if now in (text, new) else None)
    proxies.restart(api, tell)
    return journal


def put_back(api: Api, journal: Journal, tell: Tell) -> str:
    """Put the earlier configuration back, byte for byte.

    Returns what is left for a person to do. Where somebody else has edited it
    meanwhile, their edit stays and only this program's change is undone. Can be
    called again.
    """
    original = journal.original
    if original is None:
        return ""
    place = journal.place
    found = proxies.config_map(api, place)
    if found is None:
        raise TestbedError(f"{place} is gone; its text as it was is in the journal")
    seen = found["data"][place.key]
    if seen != original:
        tell("kube-proxy: back to what it was")
        seen = _write(api, place, found, lambda now: _restored(now, journal, original)[0])
    proxies.restart(api, tell)
    return _restored(seen, journal, original)[1]


def _restored(now: str, journal: Journal, original: str) -> tuple[str, str]:
    """What the text is changed to, and what is left for a person to do. Pure."""
    ours = _ours(journal)
    if now in ours:
        return original, ""
    with suppress(ConfigError):
        present, was = read(now).balances, read(original).balances
        if present == was:
            return now, ""  # nothing of our change is in it
        if present in (read(text).balances for text in ours):
            return edit(now, *was), (
                f"somebody else has edited {journal.place} too: their edit was kept, only"
                " mode and scheduler are as before"
            )
    return now, (
        f"somebody else has set {journal.place} to something of their own; it was left as it is"
    )


def leaves_ipvs(journal: Journal) -> bool:
    """Whether putting the cluster back ends an IPVS mode that it did not have before."""
    if journal.original is None or read(journal.original).mode == "ipvs":
        return False
    return any(mode == "ipvs" for mode, _ in journal.switches)


def _ours(journal: Journal) -> list[str]:
    """Every text that this run may have written to the ConfigMap."""
    if journal.original is None:
        return []
    made = [journal.original]
    for mode, scheduler in journal.switches:
        made += [edit(text, mode, scheduler) for text in made]
        made = list(dict.fromkeys(made))
    return made


def _write(api: Api, place: ConfigPlace, found: Object, change: Callable[[str], str | None]) -> str:
    """Write what `change` makes of the present text, which is returned.

    Where that is None, nothing is written, and TestbedError is raised.
    After a conflict, look again: labels that others wrote do not matter, another
    text does.
    """
    for _ in range(_TRIES):
        now = str(found["data"][place.key])
        text = change(now)
        if text is None:
            break
        found["data"][place.key] = text
        try:
            if text != now:
                api.replace("configmaps", found, SYSTEM)
        except ApiError as error:
            if error.status != 409:
                raise
            found = _config_map(api, place)
        else:
            return now
    raise TestbedError(f"somebody else is editing {place}; their edit was left as it is")


def _config_map(api: Api, place: ConfigPlace) -> Object:
    found = proxies.config_map(api, place)
    if found is None:
        raise TestbedError(f"there is no {place} any more, so kube-proxy cannot be switched")
    return found
