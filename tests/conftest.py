"""What all tests take for granted of the process they run in."""

import signal


def pytest_configure() -> None:
    """Ctrl-C is heard: a shell has its background jobs ignore it, and so would all we start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
