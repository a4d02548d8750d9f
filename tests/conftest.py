"""What all tests take for granted of the process they run in."""

import signal

from hypothesis import settings

# The same examples in every run, and no clock over them: CI machines are slow.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


def pytest_configure() -> None:
    """Ctrl-C is heard: a shell has its background jobs ignore it, and so would all we start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
