"""What all tests take for granted of the process they run in."""

import signal

from hypothesis import settings

# The same examples in every run, and no clock over them: CI machines are slow.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


def pytest_configure() -> None:
    """Signals are heard: a shell has background jobs ignore Ctrl-C, and nohup a hang-up."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
