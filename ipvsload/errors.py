"""Why a command did not do what was asked, as a person should read it.

Each class carries the exit status that the contract promises, so the command
line has one place where an error becomes a line of text and a number.
"""

from typing import ClassVar


class IpvsloadError(Exception):
    """Base of every error that is meant for people: one message, no traceback."""

    exit_status: ClassVar[int] = 3
    prefix: ClassVar[str] = "ipvsload: "
    """What stands before the message on the terminal."""


class UsageError(IpvsloadError):
    """What was asked cannot be right: a bad option, file or scenario."""

    exit_status: ClassVar[int] = 2


class TestbedError(IpvsloadError):
    """The testbed could not be brought up, or it broke."""

    __test__ = False  # pytest would collect the name
    exit_status: ClassVar[int] = 3


class NoTestbedError(TestbedError):
    """There is no testbed of this kind that could be looked at."""


class InvalidRunError(IpvsloadError):
    """A run's result does not count: interrupted, overloaded, or incomplete."""

    exit_status: ClassVar[int] = 4
