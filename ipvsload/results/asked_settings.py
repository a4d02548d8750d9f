"""What a scenario asked to be set, against what the kernel shows.

A figure under a label is worth nothing where the kernel was not set as the label
says. So a run counts only where samples and the director's settings show all of it.
"""

from collections.abc import Iterator, Mapping

from ipvsload.ipvs.table import VirtualService
from ipvsload.record.events import DirectorSettings
from ipvsload.record.reader import RecordedRun
from ipvsload.results.director import (
    PERSISTENT_WORD,
    DirectorResult,
    persistence_words,
    setting_words,
    timeout_name,
)
from ipvsload.scenario.model import Scenario
from ipvsload.scenario.variant import Variant, of_label


def asked_variant(run: RecordedRun, scenario: Scenario | None) -> Variant | None:
    """What the run's label stands for in the scenario; None where nobody can say."""
    return of_label(run.label, scenario.schedulers) if scenario else None


def asked_words(variant: Variant) -> tuple[str, ...]:
    """What was asked, in the words in which `DirectorResult` tells it."""
    settings = variant.settings
    words = list(settings.flags)
    if settings.persistence:
        words.append(persistence_words(settings.persistence))
    if settings.netmask is not None:
        words.append(f"netmask {settings.netmask}")
    if variant.forwarding is not None:
        words.append(variant.forwarding)
    words += [setting_words(name, value) for name, value in settings.sysctls.items()]
    words += [setting_words(timeout_name(n), value) for n, value in settings.timeouts.items()]
    return tuple(words)


def unlike_asked(
    run: RecordedRun, variant: Variant | None, director: DirectorResult
) -> Iterator[str]:
    """Each thing that the kernel shows otherwise than it was asked for, in words."""
    services = (service for sample in reversed(run.samples) for service in sample.services)
    service = next(services, None)
    if variant is None or not run.given_label:
        return
    if service is not None:
        yield from _of_service(service, variant, director)
    if variant.netmask is not None and run.netmask not in (None, variant.netmask):
        yield _unlike(f"netmask {variant.netmask}", f"{run.netmask}")
    settings = variant.settings
    last = {event.node: event for event in run.of_type(DirectorSettings)}
    if not last and (settings.sysctls or settings.timeouts) and run.samples:
        yield "what is set on the director is not known, and the scenario asked for settings of it"
    for node, event in last.items():
        yield from _of_director(node, settings.sysctls, event.sysctls)
        yield from _of_director(
            node,
            {timeout_name(name): value for name, value in settings.timeouts.items()},
            {timeout_name(name): value for name, value in event.timeouts.items()},
        )


def _of_service(
    service: VirtualService, variant: Variant, director: DirectorResult
) -> Iterator[str]:
    if service.scheduler != variant.scheduler:
        yield _unlike(f"the scheduler {variant.scheduler}", service.scheduler)
    for flag in variant.flags:
        if flag not in director.flags:
            yield _unlike(f"the flag {flag}", ", ".join(director.flags) or "no flag")
    shown, wanted = director.persistent_seconds, variant.persistence or 0
    # /proc does not tell for how long, and then nobody knows better.
    untold = shown is None and PERSISTENT_WORD in director.of_service
    if wanted and shown != wanted and not untold:
        yield _unlike(persistence_words(wanted), f"{shown or 0} s")
    if variant.forwarding is not None and director.forwarding not in (None, variant.forwarding):
        yield _unlike(f"forwarding: {variant.forwarding}", f"{director.forwarding}")


def _of_director(
    node: str, asked: Mapping[str, int], shown: Mapping[str, int | str]
) -> Iterator[str]:
    for name, value in asked.items():
        if shown.get(name) != value:
            yield _unlike(
                f"{setting_words(name, value)} on {node}", f"{shown.get(name, 'nothing')}"
            )


def _unlike(asked: str, shown: str) -> str:
    return f"the scenario asked for {asked}, and the kernel shows {shown}"
