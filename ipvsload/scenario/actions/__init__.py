"""The registry of actions: what a scenario's step or a person at the page can have done.

One file an action. The files of this folder are imported, and the subclasses
of `Action` that they define are the actions: a new action is one new file.
"""

from importlib import import_module
from pkgutil import iter_modules

from pydantic import ValidationError

from ipvsload.errors import UsageError
from ipvsload.scenario.actions.base import Action
from ipvsload.scenario.words import hint, quoted

for _module in iter_modules(__path__, f"{__name__}."):
    import_module(_module.name)

ACTIONS: dict[str, type[Action]] = {
    action.key: action for action in sorted(Action.__subclasses__(), key=lambda one: one.rank)
}
SCENARIO_ACTIONS = {key: action for key, action in ACTIONS.items() if action.in_scenarios}
PAGE_ACTIONS = {key: action for key, action in ACTIONS.items() if action.on_page}


def parse_control(value: object) -> Action:
    """The action in a request of the page: decoded JSON such as {"do": "scale", "servers": 3}.

    Raises UsageError with every fault in it.
    """
    if not isinstance(value, dict):
        raise UsageError('expected a valid dictionary such as {"do": "scale", "servers": 3}')
    fields = dict(value)
    key = fields.pop("do", None)
    if not isinstance(key, str):
        raise UsageError(f'"do" is missing or no text; {hint("", PAGE_ACTIONS, "actions")}')
    if key not in PAGE_ACTIONS:
        raise UsageError(f"no action {quoted(key)}; {hint(key, PAGE_ACTIONS, 'actions')}")
    try:
        return PAGE_ACTIONS[key].model_validate(fields)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        texts = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults)
        raise UsageError("; ".join(texts)) from None
