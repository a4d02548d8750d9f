"""What the real servers' process does when its owner asks, one file a command.

The files of this folder are imported, and the `COMMAND` of each is one: a new
command is one new file.
"""

from importlib import import_module
from pkgutil import iter_modules

from ipvsload.testbed.lab.server_commands.base import ServerCommand

_MODULES = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
COMMANDS: dict[str, ServerCommand] = {
    module.COMMAND.verb: module.COMMAND for module in _MODULES if hasattr(module, "COMMAND")
}
